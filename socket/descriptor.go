package socket

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"trigo"
	"trigo/internal/pollio"
)

// A descriptor does the work of a Socket. It is a [kernel], a [goListener] or,
// under a ctx that carries another network than the kernel's, a [virtual]. The
// Socket itself checks arguments, looks up names and gives errors their public
// form; that is the same for all three.
//
// Addresses come encoded as the kernel has them, and an error is the system's
// errno or one of the kinds of package trigo.
type descriptor interface {
	bind(to *sockaddr) error
	listen(backlog int) error
	accept(ctx context.Context, of *Socket) (*Socket, Addr, error)
	connect(ctx context.Context, to *sockaddr) error
	shutdown(how int) error
	didShutdownWrite() bool
	name(peer bool) (*sockaddr, error)

	receive(ctx context.Context, t *transfer) error
	send(ctx context.Context, t *transfer) error
	receiveMessages(ctx context.Context, of *Socket, ms []Message, flags int) (int, error)
	sendMessages(ctx context.Context, of *Socket, ms []Message, flags int) (int, error)

	readable() (bool, error)
	waitRead(ctx context.Context) error
	waitWrite(ctx context.Context) error

	getOption(level, opt int, value []byte) (n int, err error)
	setOption(level, opt int, value []byte) error

	close() error
	closed() bool

	// system returns the descriptor for what only the kernel can do. On
	// another network the error Is errors.ErrUnsupported.
	system() (*kernel, error)
}

// kernel is a descriptor of the system.
type kernel struct {
	fd        *pollio.FD
	raw       syscall.RawConn
	shutWrite atomic.Bool
}

func newKernel(fd *pollio.FD) (*kernel, error) {
	raw, err := fd.Source().SyscallConn()
	if err != nil {
		return nil, err
	}
	return &kernel{fd: fd, raw: raw}, nil
}

// control calls f with the descriptor, which stays open meanwhile.
func (k *kernel) control(f func(sysfd int) error) error {
	if k.fd.Closed() {
		return trigo.ErrClosed
	}
	var err error
	if gone := k.raw.Control(func(sysfd uintptr) { err = f(int(sysfd)) }); gone != nil {
		err = gone
	}
	if err != nil && (k.fd.Closed() || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed)) {
		return trigo.ErrClosed // by us, or under our feet
	}
	return err
}

func (k *kernel) bind(to *sockaddr) error {
	return k.control(func(sysfd int) error { return sysBind(sysfd, to) })
}

func (k *kernel) listen(backlog int) error {
	return k.control(func(sysfd int) error { return sysListen(sysfd, backlog) })
}

func (k *kernel) accept(ctx context.Context, of *Socket) (*Socket, Addr, error) {
	var from sockaddr
	fd := -1
	err := k.fd.ReadOp(ctx, func(sysfd int) (err error) {
		for {
			if fd, err = sysAccept(sysfd, &from); err != syscall.EINTR {
				return err
			}
		}
	})
	if err != nil {
		return nil, nil, err
	}
	conn, err := adoptFD(fd, of.family, of.typ, of.proto)
	if err != nil {
		return nil, nil, err
	}
	return conn, from.addr(), nil
}

func (k *kernel) connect(ctx context.Context, to *sockaddr) error {
	started := false
	err := k.fd.WriteOp(ctx, func(sysfd int) error {
		if !started {
			started = true
			err := sysConnect(sysfd, to)
			if err != errInProgress && err != syscall.EINTR {
				return notAgain(err)
			}
		}
		// Asked anew each time: an edge of before the connect may be
		// what woke us.
		switch ready, err := sysReady(sysfd, pollOut); {
		case err != nil:
			return err
		case !ready:
			return errAgain
		}
		return sysSocketError(sysfd)
	})
	if errors.Is(err, errFull) {
		return syscall.EAGAIN
	}
	return err
}

// errFull stands for an EAGAIN that there is no waiting for.
var errFull = errors.New("backlog full")

func notAgain(err error) error {
	if err == syscall.EAGAIN {
		return errFull
	}
	return err
}

func (k *kernel) shutdown(how int) error {
	err := k.control(func(sysfd int) error { return sysShutdown(sysfd, how) })
	if err == nil && how != syscall.SHUT_RD {
		k.shutWrite.Store(true)
	}
	return err
}

func (k *kernel) didShutdownWrite() bool { return k.shutWrite.Load() }

func (k *kernel) name(peer bool) (sa *sockaddr, err error) {
	err = k.control(func(sysfd int) (err error) {
		sa, err = sysName(sysfd, peer)
		return err
	})
	return sa, err
}

func (k *kernel) receive(ctx context.Context, t *transfer) error { return k.fd.ReadOp(ctx, t.single) }
func (k *kernel) send(ctx context.Context, t *transfer) error    { return k.fd.WriteOp(ctx, t.single) }

func (k *kernel) readable() (ready bool, err error) {
	err = k.control(func(sysfd int) (err error) {
		ready, err = sysReady(sysfd, pollIn)
		return err
	})
	return ready, err
}

func (k *kernel) waitRead(ctx context.Context) error  { return k.fd.WaitRead(ctx) }
func (k *kernel) waitWrite(ctx context.Context) error { return k.fd.WaitWrite(ctx) }

func (k *kernel) getOption(level, opt int, value []byte) (n int, err error) {
	err = k.control(func(sysfd int) (err error) {
		n, err = sysGetsockopt(sysfd, level, opt, value)
		return err
	})
	return n, err
}

func (k *kernel) setOption(level, opt int, value []byte) error {
	return k.control(func(sysfd int) error { return sysSetsockopt(sysfd, level, opt, value) })
}

func (k *kernel) close() error             { return k.fd.Close() }
func (k *kernel) closed() bool             { return k.fd.Closed() }
func (k *kernel) system() (*kernel, error) { return k, nil }
