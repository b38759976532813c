package socket

import (
	"encoding/binary"
	"syscall"
)

// virtualOptions are the options that a virtual network knows. But for
// IPV6_V6ONLY they make no difference there, and are what they were set to.
var virtualOptions = [...][2]int{
	{syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY},
	{syscall.IPPROTO_TCP, syscall.TCP_NODELAY},
	{syscall.SOL_SOCKET, syscall.SO_REUSEADDR},
	{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE},
	{syscall.SOL_SOCKET, syscall.SO_BROADCAST},
}

const v6OnlyOption = 0 // its place in virtualOptions

// option returns the place of an option in virtualOptions, or an error.
func (v *virtual) option(level, opt int) (int, error) {
	for i, known := range virtualOptions {
		if known == [2]int{level, opt} {
			return i, nil
		}
	}
	return 0, notVirtual("such options")
}

func (v *virtual) getOption(level, opt int, value []byte) (int, error) {
	i, err := v.option(level, opt)
	if err != nil {
		return 0, err
	}
	return copy(value, binary.NativeEndian.AppendUint32(nil, v.options[i].Load())), nil
}

func (v *virtual) setOption(level, opt int, value []byte) error {
	i, err := v.option(level, opt)
	switch {
	case err != nil:
		return err
	case len(value) < 4, i == v6OnlyOption && v.s.LocalAddr().IsValid():
		return syscall.EINVAL
	}
	v.options[i].Store(binary.NativeEndian.Uint32(value))
	return nil
}

// isDual reports whether the socket speaks IPv4 beside IPv6.
func (v *virtual) isDual() bool { return v.family == afInet6 && v.options[v6OnlyOption].Load() == 0 }
