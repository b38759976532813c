package socket

import (
	"context"

	"trigo"
	"trigo/nursery"
)

// Bind gives the socket an address of its own. Only the lookup of a [HostAddr] waits
// for anything; an empty host is the wildcard.
func (s *Socket) Bind(ctx context.Context, addr Addr) error {
	var sa sockaddr
	err := s.encode(ctx, addr, true, &sa)
	if err == nil && ctx.Err() != nil {
		err = trigo.CancelError(ctx)
	}
	if err == nil {
		err = s.d.bind(&sa)
	}
	switch {
	case err == nil:
		return nil
	case addr == nil:
		return s.fail("bind", err)
	}
	return s.failTo("bind", addr, err)
}

// Listen makes the socket one that accepts connections. backlog is how many may
// wait to be accepted; the system has a limit of its own, which is what 0
// means.
func (s *Socket) Listen(backlog int) error {
	if backlog <= 0 || backlog > maxBacklog {
		backlog = maxBacklog
	}
	if err := s.d.listen(backlog); err != nil {
		return s.fail("listen", err)
	}
	return nil
}

// maxBacklog is what every kernel understands: some take the lower 16 bits only.
const maxBacklog = 1<<16 - 1

// Accept waits for a connection, and returns it and the address of its peer (nil if
// it has none). Errors are the system's, also those of a connection that died
// while it waited (ECONNABORTED and, on Linux, many others), and the socket can
// still accept. On a socket that does not listen, the error Is [syscall.EINVAL] at
// once. A cancelled Accept lost nothing.
func (s *Socket) Accept(ctx context.Context) (*Socket, Addr, error) {
	conn, from, err := s.d.accept(ctx, s)
	if err != nil {
		return nil, nil, s.fail("accept", err)
	}
	return conn, from, nil
}

// Connect connects the socket to addr, and waits until it is connected. A
// datagram socket is only told where to send and from where to receive, and can
// be told again. An empty host is the loopback.
//
// If ctx ends, at whatever stage, the socket is closed: what a half-made
// connection would do next is nobody's to say. After any other error the socket
// is open and good for Close; some systems allow another Connect. On Linux a
// Unix socket whose listener has a full backlog gets [syscall.EAGAIN]: there is
// nothing to wait for.
func (s *Socket) Connect(ctx context.Context, addr Addr) error {
	err := s.connect(ctx, addr)
	switch {
	case err == nil:
		return nil
	case addr == nil:
		return s.fail("connect", err)
	case nursery.IsCancellation(ctx, err):
		s.d.close()
	}
	return s.failTo("connect", addr, err)
}

func (s *Socket) connect(ctx context.Context, addr Addr) error {
	var to sockaddr
	if err := s.encode(ctx, addr, false, &to); err != nil {
		return err
	}
	return s.d.connect(ctx, &to)
}

// Shutdown ends receiving (syscall.SHUT_RD), sending (SHUT_WR) or both (SHUT_RDWR). It
// does not wait, and may be called while others do.
func (s *Socket) Shutdown(how int) error {
	if err := s.d.shutdown(how); err != nil {
		return s.fail("shut down", err)
	}
	return nil
}

// Getsockname returns the address of this end.
func (s *Socket) Getsockname() (Addr, error) { return s.name("local name", false) }

// Getpeername returns the address of the peer. Without one the error Is
// [syscall.ENOTCONN]; the system forgets it when the peer resets the
// connection.
func (s *Socket) Getpeername() (Addr, error) { return s.name("peer name", true) }

func (s *Socket) name(op string, peer bool) (Addr, error) {
	sa, err := s.d.name(peer)
	if err != nil {
		return nil, s.fail(op, err)
	}
	if a := sa.addr(); a != nil {
		return a, nil
	}
	return RawAddr{AddrFamily: s.family}, nil
}

// IsReadable reports whether receiving would not wait: something is there, or
// the end, or an error. An idle connection of a pool that is readable is dead. A
// closed socket is not readable.
func (s *Socket) IsReadable() bool {
	ready, err := s.d.readable()
	return err == nil && ready
}

// WaitReadable waits until receiving or accepting would not wait: something is
// there, or the end, or an error, which it leaves to that call. It counts as
// receiving: beside another call that does it is [trigo.ErrBusy], and so is the
// other way round. Close wakes it, with [trigo.ErrClosed]. A cancelled call had no
// effect. Where the system has no readiness (Windows) the error Is
// [errors.ErrUnsupported].
func (s *Socket) WaitReadable(ctx context.Context) error {
	if err := s.d.waitRead(ctx); err != nil {
		return s.fail("wait to receive", err)
	}
	return nil
}

// WaitWritable waits until sending might not wait, be it because it would fail. It
// may return early. It counts as sending, as [Socket.WaitReadable] counts as
// receiving. Close wakes it, with [trigo.ErrClosed]; a cancelled call had no effect.
func (s *Socket) WaitWritable(ctx context.Context) error {
	if err := s.d.waitWrite(ctx); err != nil {
		return s.fail("wait to send", err)
	}
	return nil
}
