package netstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"trigo"
	"trigo/internal/netseam"
	"trigo/internal/pollio"
)

// A Listener accepts TCP or Unix connections. It is a [trigo.Listener].
//
// Trio: trio.SocketListener.
type Listener struct {
	l       acceptor         // nil on a network that is not the kernel's
	virtual netseam.Listener // what is there instead
	addr    net.Addr
	file    *socketFile // of a Unix socket, to be removed by Close; may be nil
	closing sync.Once
	low     lowLevel // the same descriptor as a socket
}

// acceptor is what a [pollio.Listener] and a listening [socket.Socket] share.
type acceptor interface {
	Accept(ctx context.Context) (net.Conn, error)
	Close() error
	Source() pollio.ListenerSource
}

var _ trigo.Listener[*Stream] = (*Listener)(nil)

// FromListener returns a listener over l, which must be a *net.TCPListener or a
// *net.UnixListener of the network "unix": one with socket options of its own
// (net.ListenConfig), or one that was inherited (net.FileListener). The listener
// owns l and its deadline. For any other l the error Is
// [errors.ErrUnsupported] and l is left alone.
func FromListener(l net.Listener) (*Listener, error) {
	switch src := l.(type) {
	case *net.TCPListener:
		return newListener(src, l.Addr(), nil), nil
	case *net.UnixListener:
		if l.Addr().Network() == "unix" {
			return newListener(src, l.Addr(), nil), nil
		}
	}
	err := fmt.Errorf("a %T of network %s accepts no streams: %w", l, l.Addr().Network(), errors.ErrUnsupported)
	return nil, &trigo.OpError{Op: "adopt", Layer: layerName(l.Addr()), Err: err}
}

func newListener(src pollio.ListenerSource, addr net.Addr, file *socketFile) *Listener {
	return &Listener{l: pollio.NewListener(src), addr: addr, file: file}
}

// Accept waits for the next connection. Connections that died before they were
// accepted are passed over, whatever error the kernel reports for them. Any
// other error is returned and the listener stays usable: a lack of descriptors
// (EMFILE, ENFILE) or memory among them, which [trigo.ServeListeners] retries.
// A cancelled Accept loses no connection. It returns [trigo.ErrClosed] if the
// listener is or gets closed, [trigo.ErrBusy] while another call accepts.
func (l *Listener) Accept(ctx context.Context) (*Stream, error) {
	if l.l == nil {
		c, err := l.virtual.Accept(ctx)
		if err != nil {
			return nil, err
		}
		return virtualStream(c, nil), nil
	}
	for {
		c, err := l.l.Accept(ctx)
		if err == nil {
			var x *extra
			if l.addr.Network() == "unix" {
				x = &extra{local: l.addr} // the kernel has the name it was bound to, before the rename
			}
			s, err := newStream(c, x)
			if err != nil {
				c.Close()
				return nil, l.fail("accept", err)
			}
			return s, nil
		}
		if !isStillborn(err) {
			return nil, l.fail("accept", err)
		}
	}
}

// Close stops listening and wakes an Accept that waits, with [trigo.ErrClosed]. It
// never waits itself; ctx makes no difference. Connections that nobody accepted
// are reset by the kernel. The file of a Unix socket is removed, if [ListenUnix]
// made it and no other has taken its place. The error, if any, is why the file
// could not be removed, or what close(2) said; the listener is closed all the
// same.
func (l *Listener) Close(ctx context.Context) error {
	if l.l == nil {
		return l.virtual.Close(ctx)
	}
	var err error
	l.closing.Do(func() {
		// The file first: while the socket is open, nothing else can have its
		// inode number, and so nothing else be mistaken for it.
		err = errors.Join(l.file.remove(), l.l.Close())
	})
	if err != nil {
		return l.fail("close", err)
	}
	return nil
}

func (l *Listener) fail(op string, err error) error {
	return &trigo.OpError{Op: op, Layer: l.String(), Err: bare(err)}
}

// Addr returns the address that the listener is bound to, with its real port.
func (l *Listener) Addr() net.Addr { return l.addr }

// Underlying returns the *net.TCPListener or *net.UnixListener, for [trigo.As]; the
// *[socket.Socket] if it was made of one.
func (l *Listener) Underlying() any {
	if l.l == nil {
		return l.virtual
	}
	if a, ok := l.l.(socketAcceptor); ok {
		return a.s
	}
	return l.l.Source()
}

// String names the listener by its address: "tcp 127.0.0.1:8080".
func (l *Listener) String() string { return layerName(l.addr) }
