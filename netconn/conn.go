package netconn

import (
	"cmp"
	"context"
	"net"
	"sync/atomic"
	"time"

	"trigo"
)

// Options say how a connection is made of a stream. Nil is the same as the zero
// value.
type Options struct {
	// CloseTimeout is how long Close may take for a goodbye, as TLS has one. If
	// zero, a second. If negative, there is no goodbye: the stream is closed
	// forcefully.
	CloseTimeout time.Duration

	// LocalAddr and RemoteAddr are the addresses of the connection, of a client
	// behind a proxy, say. nil: those of the outermost layer that has some; if
	// none has, the name of the stream.
	LocalAddr, RemoteAddr net.Addr
}

const defaultCloseTimeout = time.Second

// Conn returns s as a net.Conn, which owns s. If s is a
// [trigo.HalfCloseableStream], the connection has the method CloseWrite() error.
//
// Read and Write wait for each other's kind and then for the stream, until
// their deadline. A timeout leaves the stream usable, and Write says how much it
// has sent. A deadline may be moved at any time; it applies to the calls under
// way, too. As long as nobody sets one, nothing is allocated for a call.
//
// Close wakes all calls. It says goodbye if the stream has one, within
// [Options.CloseTimeout]: users of a net.Conn do not expect Close to wait for a
// peer. It returns an error if the goodbye did not succeed; the stream is closed
// all the same. Closing again is [net.ErrClosed], as in package net.
func Conn(s trigo.Stream, opts *Options) net.Conn {
	if opts == nil {
		opts = &Options{}
	}
	c := &conn{
		s:     s,
		grace: cmp.Or(opts.CloseTimeout, defaultCloseTimeout),
	}
	c.local, c.remote = addresses(s, opts)
	c.reading.init()
	c.writing.init()
	if h, ok := s.(trigo.HalfCloseableStream); ok {
		return &halfConn{conn: c, s: h}
	}
	return c
}

// conn is a stream as a net.Conn.
type conn struct {
	s                trigo.Stream
	grace            time.Duration
	local, remote    net.Addr
	closing          atomic.Bool
	reading, writing half
}

// halfConn is a conn that can end its writing half.
type halfConn struct {
	*conn
	s trigo.HalfCloseableStream
}

var _ interface{ CloseWrite() error } = (*halfConn)(nil)

func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, c.failIfClosed("read")
	}
	ctx := c.reading.begin()
	if ctx == nil {
		return 0, c.late("read")
	}
	defer c.reading.end() // also of a panic, of a callback in a TLS handshake
	n, err := c.s.ReceiveSome(ctx, p)
	if err != nil {
		return 0, c.failed(ctx, "read", err)
	}
	return n, nil
}

func (c *conn) Write(p []byte) (int, error) {
	ctx := c.writing.begin()
	if ctx == nil {
		return 0, c.late("write")
	}
	defer c.writing.end()
	err := c.s.SendAll(ctx, p)
	if err != nil {
		return sent(err), c.failed(ctx, "write", err)
	}
	return len(p), nil
}

// CloseWrite ends the writing half. It waits for its turn, and for the stream,
// as Write does.
func (c *halfConn) CloseWrite() error {
	ctx := c.writing.begin()
	if ctx == nil {
		return c.late("close")
	}
	defer c.writing.end()
	err := c.s.SendEOF(ctx)
	if err != nil {
		return c.failed(ctx, "close", err)
	}
	return nil
}

func (c *conn) Close() error {
	if c.closing.Swap(true) {
		return c.fail("close", net.ErrClosed)
	}
	c.reading.retire()
	c.writing.retire()
	if c.grace < 0 {
		return c.fail("close", bare(trigo.CloseForcefully(c.s)))
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.grace)
	defer cancel()
	if err := c.s.Close(ctx); err != nil {
		return c.failed(ctx, "close", err)
	}
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error {
	return c.set(t, &c.reading, &c.writing)
}

func (c *conn) SetReadDeadline(t time.Time) error  { return c.set(t, &c.reading) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.set(t, &c.writing) }

func (c *conn) set(t time.Time, halves ...*half) error {
	if err := c.failIfClosed("set"); err != nil {
		return err
	}
	for _, h := range halves {
		h.setDeadline(t)
	}
	return nil
}

// Underlying returns the stream, for [trigo.Layers].
func (c *conn) Underlying() any { return c.s }

func (c *conn) String() string { return describe(c.s) }
