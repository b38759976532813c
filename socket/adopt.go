package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"trigo"
	"trigo/internal/pollio"
)

// FromFD makes a socket of a descriptor that came from elsewhere: inherited, or
// received over a Unix socket. Family, type and protocol are asked of the kernel.
// The descriptor becomes non-blocking and close-on-exec, and belongs to the
// socket; to keep one, pass a copy. One that is no socket stays the caller's, and
// the error Is [syscall.ENOTSOCK]; if a socket cannot be waited for, it is closed.
//
// Trio: trio.socket.fromfd, and trio.socket.socket with fileno.
func FromFD(sysfd int) (*Socket, error) {
	s, err := fromFD(sysfd)
	if err != nil {
		return nil, &trigo.OpError{Op: "adopt", Layer: fmt.Sprintf("descriptor %d", sysfd), Err: err}
	}
	return s, nil
}

func fromFD(sysfd int) (*Socket, error) {
	family, typ, proto, err := sysSniff(sysfd)
	if err != nil {
		return nil, err
	}
	if err := sysPrepare(sysfd); err != nil {
		return nil, err
	}
	return adoptFD(sysfd, family, typ, proto)
}

// FromConn makes a socket of a connection of package net: a *net.TCPConn,
// *net.UDPConn, *net.UnixConn or *net.IPConn. The socket owns it: its deadlines
// are the socket's, and using it beside the socket is a race for its bytes. For
// any other type, one that wraps these too, the error Is [errors.ErrUnsupported]
// and c is left alone.
//
// Trio: trio.socket.from_stdlib_socket.
func FromConn(c net.Conn) (*Socket, error) { return fromGo(c) }

// FromPacketConn is [FromConn] for a connection that is known as a net.PacketConn.
func FromPacketConn(c net.PacketConn) (*Socket, error) { return fromGo(c) }

// FromListener makes a socket of a *net.TCPListener or *net.UnixListener, which it
// owns as [FromConn] says. Package net lets nobody else wait for it, so that the
// socket can accept, be closed, and tell its options and names; WaitReadable is
// an error that Is [errors.ErrUnsupported].
func FromListener(l net.Listener) (*Socket, error) {
	switch l := l.(type) {
	case *net.TCPListener:
		return OverListener(pollio.NewListener(l))
	case *net.UnixListener:
		return OverListener(pollio.NewListener(l))
	}
	return nil, notAdoptable(l)
}

func fromGo(c any) (*Socket, error) {
	switch c := c.(type) {
	case *net.TCPConn:
		return adopt(c)
	case *net.UDPConn:
		return adopt(c)
	case *net.UnixConn:
		return adopt(c)
	case *net.IPConn:
		return adopt(c)
	}
	return nil, notAdoptable(c)
}

func notAdoptable(c any) error {
	return &trigo.OpError{Op: "adopt", Layer: fmt.Sprintf("%T", c), Err: fmt.Errorf("not a socket of package net: %w", errors.ErrUnsupported)}
}

func adopt(src pollio.Source) (*Socket, error) {
	fd, err := pollio.New(src)
	if err != nil {
		return nil, &trigo.OpError{Op: "adopt", Layer: fmt.Sprintf("%T", src), Err: err}
	}
	return Over(fd, false)
}

// Over returns a socket that shares a descriptor with whoever else uses fd, and may have
// shut down its sending half. It is for packages of this module.
func Over(fd *pollio.FD, shutWrite bool) (*Socket, error) {
	s, err := sniffed(fd)
	if err != nil {
		return nil, &trigo.OpError{Op: "adopt", Layer: fmt.Sprintf("%T", fd.Source()), Err: err}
	}
	k, _ := s.d.system()
	k.shutWrite.Store(shutWrite)
	return s, nil
}

func sniffed(fd *pollio.FD) (*Socket, error) {
	s, err := overFD(fd, 0, 0, 0)
	if err != nil {
		return nil, err
	}
	err = s.control(func(sysfd int) (err error) {
		s.family, s.typ, s.proto, err = sysSniff(sysfd)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OverListener is [Over] for a listener.
func OverListener(l *pollio.Listener) (*Socket, error) {
	src, ok := l.Source().(syscall.Conn)
	if !ok {
		return nil, notAdoptable(l.Source())
	}
	s, err := adopt(&listenerSource{src, l})
	if err != nil {
		return nil, err
	}
	k, _ := s.d.system()
	s.d = &goListener{k, l}
	return s, nil
}

// listenerSource is a listener of package net, as far as it can be a source.
type listenerSource struct {
	syscall.Conn
	l *pollio.Listener
}

func (s *listenerSource) Read([]byte) (int, error)         { return 0, syscall.ENOTCONN }
func (s *listenerSource) Write([]byte) (int, error)        { return 0, syscall.ENOTCONN }
func (s *listenerSource) SetReadDeadline(time.Time) error  { return nil }
func (s *listenerSource) SetWriteDeadline(time.Time) error { return nil }
func (s *listenerSource) Close() error                     { return s.l.Close() }

// goListener is the descriptor of a listener of package net, which lets nobody
// else wait for it.
type goListener struct {
	*kernel
	l *pollio.Listener
}

func (g *goListener) accept(ctx context.Context, of *Socket) (*Socket, Addr, error) {
	c, err := g.l.Accept(ctx)
	if err != nil {
		return nil, nil, err
	}
	conn, err := FromConn(c)
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	from, _ := conn.Getpeername()
	return conn, from, nil
}

// closed asks the listener: whoever else has it may have closed it.
func (g *goListener) closed() bool { return g.l.Closed() }

func (g *goListener) waitRead(ctx context.Context) error {
	err := g.kernel.waitRead(ctx)
	if errors.Is(err, syscall.EINVAL) {
		return errors.ErrUnsupported
	}
	return err
}

// Dup returns a second socket on the same open socket of the system. Each is to
// be closed by itself.
func (s *Socket) Dup() (*Socket, error) {
	var copied *Socket
	err := s.control(func(sysfd int) error {
		fd, err := sysDup(sysfd)
		if err == nil {
			copied, err = adoptFD(fd, s.family, s.typ, s.proto)
		}
		return err
	})
	if err != nil {
		return nil, s.fail("duplicate", err)
	}
	if s.DidShutdownWrite() {
		k, _ := copied.d.system()
		k.shutWrite.Store(true)
	}
	return copied, nil
}

// Detach closes the socket and returns its descriptor, which lives on, for other
// libraries: non-blocking, close-on-exec, and the caller's to close. Its number is
// a new one. Calls that wait on the socket get [trigo.ErrClosed].
func (s *Socket) Detach() (sysfd int, err error) {
	err = s.control(func(fd int) (err error) {
		sysfd, err = sysDup(fd)
		return err
	})
	if err != nil {
		return -1, s.fail("detach", err)
	}
	s.d.close()
	return sysfd, nil
}

// Share would return what another process passes to [FromShare] to have this
// socket too. That is how Windows does it, where this package has no sockets, so
// the error Is [errors.ErrUnsupported]. Elsewhere descriptors are passed over
// Unix sockets: see [Message].
func (s *Socket) Share(pid int) ([]byte, error) { return nil, s.fail("share", errors.ErrUnsupported) }

// FromShare is the other side of [Socket.Share].
func FromShare(data []byte) (*Socket, error) {
	return nil, &trigo.OpError{Op: "adopt", Layer: "shared socket", Err: errors.ErrUnsupported}
}
