package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"syscall"
	"unsafe"
)

// GetsockoptInt returns an option that is a number, or a switch (0 and 1).
func (s *Socket) GetsockoptInt(level, opt int) (n int, err error) {
	if n, err = s.optionInt(level, opt); err != nil {
		return 0, s.fail("get option", err)
	}
	return n, nil
}

// optionInt understands options of one byte too, as BSD has them.
func (s *Socket) optionInt(level, opt int) (int, error) {
	var b [4]byte
	n, err := s.d.getOption(level, opt, b[:])
	if err == nil && n == 1 {
		return int(b[0]), nil
	}
	return int(int32(binary.NativeEndian.Uint32(b[:]))), err
}

// SetsockoptInt sets an option that is a number, or a switch (0 and 1).
func (s *Socket) SetsockoptInt(level, opt, value int) error {
	if value != int(int32(value)) {
		return s.fail("set option", fmt.Errorf("%d does not fit into a C int: %w", value, syscall.EINVAL))
	}
	return s.SetsockoptBytes(level, opt, binary.NativeEndian.AppendUint32(nil, uint32(value)))
}

// GetsockoptBytes returns an option as it is in memory, up to size bytes of it.
func (s *Socket) GetsockoptBytes(level, opt, size int) ([]byte, error) {
	if size < 0 {
		return nil, s.fail("get option", fmt.Errorf("size %d: %w", size, syscall.EINVAL))
	}
	value := make([]byte, size)
	n, err := s.d.getOption(level, opt, value)
	if err != nil {
		return nil, s.fail("get option", err)
	}
	return value[:min(n, size)], nil
}

// SetsockoptBytes sets an option to what it is in memory.
func (s *Socket) SetsockoptBytes(level, opt int, value []byte) error {
	if err := s.d.setOption(level, opt, value); err != nil {
		return s.fail("set option", err)
	}
	return nil
}

// GetsockoptStruct returns an option that is a structure of C, such as unix.Ucred
// for SO_PEERCRED, unix.Linger, unix.TCPInfo. What the system does not fill in is
// zero. A T with pointers in it is refused.
func GetsockoptStruct[T any](s *Socket, level, opt int) (value T, err error) {
	if err := plain(reflect.TypeFor[T]()); err != nil {
		return value, s.fail("get option", err)
	}
	p := &value
	if _, err = s.d.getOption(level, opt, unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))); err != nil {
		return value, s.fail("get option", err)
	}
	return value, nil
}

// SetsockoptStruct sets an option that is a structure of C.
func SetsockoptStruct[T any](s *Socket, level, opt int, value T) error {
	if err := plain(reflect.TypeFor[T]()); err != nil {
		return s.fail("set option", err)
	}
	p := &value
	return s.SetsockoptBytes(level, opt, unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p)))
}

var errPointers = errors.New("a type with pointers is no structure of the kernel")

// plain reports an error for a type whose bytes mean nothing to the kernel, or
// could be made by it into a wild pointer.
func plain(t reflect.Type) error {
	switch t.Kind() {
	case reflect.Bool, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int,
		reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint, reflect.Uintptr,
		reflect.Float32, reflect.Float64:
		return nil
	case reflect.Array:
		return plain(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if err := plain(t.Field(i).Type); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("%v: %w", t, errPointers)
}

func (s *Socket) setLinger(sec int) error {
	value := [2]int32{0, int32(max(0, sec))} // struct linger
	if sec >= 0 {
		value[0] = 1
	}
	return SetsockoptStruct(s, syscall.SOL_SOCKET, syscall.SO_LINGER, value)
}
