package socket

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"

	"trigo"
	"trigo/internal/netseam"
	"trigo/internal/pollio"
)

// A Socket is a socket of the operating system, of any family. Make one with
// [New], [Pair], [FromFD], [FromConn] and their kin; the zero value is none, and
// its calls panic. One goroutine may receive
// and one send at the same time; a second on either side gets
// [trigo.ErrBusy]. Options, names, Shutdown and Close can be called at any
// time.
//
// Trio: trio.socket.SocketType.
type Socket struct {
	d                  descriptor
	family, typ, proto int
	inbound, outbound  atomic.Pointer[transfer] // at rest between calls
}

var _ trigo.Resource = (*Socket)(nil)

// New opens a socket, under the factory of ctx if it has one (see
// [WithSocketFactory]), on the network of ctx if it has one (package
// trigo/trigotest/vnet). It does not wait. For a combination that the system
// does not know, the error Is [syscall.EAFNOSUPPORT],
// [syscall.EPROTONOSUPPORT] or the like; for one that it does not allow,
// [os.ErrPermission].
//
// Trio: trio.socket.socket.
func New(ctx context.Context, family, typ, proto int) (*Socket, error) {
	if ctx.Err() != nil {
		return nil, openError(family, typ, proto, trigo.CancelError(ctx))
	}
	if f := factoryOf(ctx); f != nil {
		return f(ctx, family, typ, proto)
	}
	if host := netseam.From(ctx); host != nil {
		s, err := openVirtual(host, family, typ, proto)
		if err != nil {
			return nil, openError(family, typ, proto, err)
		}
		return s, nil
	}
	sysfd, err := sysSocket(family, typ, proto)
	if err != nil {
		return nil, openError(family, typ, proto, err)
	}
	s, err := adoptFD(sysfd, family, typ, proto)
	if err != nil {
		return nil, openError(family, typ, proto, err)
	}
	return s, nil
}

// Pair returns two sockets that are connected to each other. The family is
// mostly AF_UNIX. The factory of a ctx has no part in it.
//
// Trio: trio.socket.socketpair.
func Pair(family, typ, proto int) (a, b *Socket, err error) {
	fds, err := sysPair(family, typ, proto)
	if err != nil {
		return nil, nil, openError(family, typ, proto, err)
	}
	if a, err = adoptFD(fds[0], family, typ, proto); err != nil {
		sysClose(fds[1])
		return nil, nil, openError(family, typ, proto, err)
	}
	if b, err = adoptFD(fds[1], family, typ, proto); err != nil {
		a.d.close()
		return nil, nil, openError(family, typ, proto, err)
	}
	return a, b, nil
}

func openError(family, typ, proto int, err error) error {
	return &trigo.OpError{Op: "open", Layer: kindName(family, typ, proto), Err: err}
}

// adoptFD makes a Socket of a descriptor that is non-blocking. It owns the
// descriptor, also when it fails.
func adoptFD(sysfd, family, typ, proto int) (*Socket, error) {
	f := os.NewFile(uintptr(sysfd), kindName(family, typ, proto))
	if f == nil {
		return nil, syscall.EBADF
	}
	src := &file{File: f}
	s, err := newSocket(src, family, typ, proto)
	if err != nil {
		f.Close()
		return nil, err
	}
	src.sock = s
	return s, nil
}

func newSocket(src pollio.Source, family, typ, proto int) (*Socket, error) {
	fd, err := pollio.New(src)
	if err != nil {
		return nil, err
	}
	return overFD(fd, family, typ, proto)
}

func overFD(fd *pollio.FD, family, typ, proto int) (*Socket, error) {
	k, err := newKernel(fd)
	if err != nil {
		return nil, err
	}
	return &Socket{d: k, family: family, typ: bareType(typ), proto: proto}, nil
}

// Family returns the address family, such as [syscall.AF_INET].
func (s *Socket) Family() int { return s.family }

// Type returns the type, such as [syscall.SOCK_DGRAM].
func (s *Socket) Type() int { return s.typ }

// Protocol returns the protocol. 0 is the default of the family and the type.
func (s *Socket) Protocol() int { return s.proto }

// DidShutdownWrite reports whether the sending half was shut down by
// [Socket.Shutdown] or by the end of file of the stream on this socket.
func (s *Socket) DidShutdownWrite() bool { return s.d.didShutdownWrite() }

// FD returns the descriptor for packages of this module. It is nil on a network
// that is not the kernel's.
func (s *Socket) FD() *pollio.FD {
	k, err := s.d.system()
	if err != nil {
		return nil
	}
	return k.fd
}

// RawConn returns the descriptor for system calls that this package lacks. Only its
// Control may be used: waiting is this package's. On a network that is not the
// kernel's all its calls return an error that Is [errors.ErrUnsupported].
func (s *Socket) RawConn() syscall.RawConn {
	k, err := s.d.system()
	if err != nil {
		return noRawConn{err}
	}
	return k.raw
}

// noRawConn is what there is where the kernel has no descriptor.
type noRawConn struct{ err error }

func (c noRawConn) Control(func(sysfd uintptr)) error    { return c.err }
func (c noRawConn) Read(func(sysfd uintptr) bool) error  { return c.err }
func (c noRawConn) Write(func(sysfd uintptr) bool) error { return c.err }

// Close closes the socket and wakes every call that waits on it, with
// [trigo.ErrClosed]. It never waits; ctx makes no difference. What it does to
// the peer and to what was not sent yet is the system's business; see
// SO_LINGER.
func (s *Socket) Close(ctx context.Context) error {
	if err := s.d.close(); err != nil {
		return s.fail("close", err)
	}
	return nil
}

// Closed reports whether the socket is closed.
func (s *Socket) Closed() bool { return s.d.closed() }

// String names the socket by its kind: "udp socket".
func (s *Socket) String() string { return kindName(s.family, s.typ, s.proto) }

// control calls f with the descriptor of the kernel, which stays open meanwhile.
func (s *Socket) control(f func(sysfd int) error) error {
	k, err := s.d.system()
	if err != nil {
		return err
	}
	return k.control(f)
}

func (s *Socket) fail(op string, err error) error {
	return &trigo.OpError{Op: op, Layer: s.String(), Err: err}
}

// failTo names the peer too.
func (s *Socket) failTo(op string, to fmt.Stringer, err error) error {
	return &trigo.OpError{Op: op, Layer: s.String() + " to " + to.String(), Err: err}
}

// kindName names a kind of socket.
func kindName(family, typ, proto int) string {
	typ = bareType(typ)
	kind := fmt.Sprintf("type %d", typ)
	switch typ {
	case syscall.SOCK_STREAM:
		kind = "stream"
	case syscall.SOCK_DGRAM:
		kind = "datagram"
	case syscall.SOCK_RAW:
		kind = "raw"
	case syscall.SOCK_SEQPACKET:
		kind = "packet"
	}
	switch {
	case isIP(family):
		switch {
		case typ == syscall.SOCK_STREAM && (proto == 0 || proto == syscall.IPPROTO_TCP):
			kind = "tcp"
		case typ == syscall.SOCK_DGRAM && (proto == 0 || proto == syscall.IPPROTO_UDP):
			kind = "udp"
		default:
			kind = "ip " + kind
		}
		if family == syscall.AF_INET6 {
			kind += " v6"
		}
	case family == syscall.AF_UNIX:
		kind = "unix " + kind
	default:
		kind = familyName(family) + " " + kind
	}
	return kind + " socket"
}

func isIP(family int) bool { return family == syscall.AF_INET || family == syscall.AF_INET6 }
