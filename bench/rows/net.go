package rows

import (
	"context"
	"io"
	"net"

	"trigo"
	"trigo/netstream"
)

// netPair returns both ends of a TCP connection.
func netPair(s *Scope) (client, server net.Conn) {
	l := MustGet(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	client = MustGet(net.Dial("tcp", l.Addr().String()))
	server = MustGet(l.Accept())
	s.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// streamPair is netPair for trigo.
func streamPair(s *Scope) (client, server *netstream.Stream) {
	c, p := netPair(s)
	return MustGet(netstream.FromConn(c)), MustGet(netstream.FromConn(p))
}

// receiveFull fills p.
func receiveFull(ctx context.Context, r trigo.ReceiveStream, p []byte) error {
	for len(p) > 0 {
		n, err := r.ReceiveSome(ctx, p)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// echoConn sends back what it reads until c ends.
func echoConn(c io.ReadWriter, size int) {
	buf := make([]byte, size)
	for {
		n, err := c.Read(buf)
		if n > 0 {
			if _, err := c.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// echoStream does the same for a stream.
func echoStream(ctx context.Context, s trigo.Stream, size int) {
	buf := make([]byte, size)
	for {
		n, err := s.ReceiveSome(ctx, buf)
		if err != nil || s.SendAll(ctx, buf[:n]) != nil {
			return
		}
	}
}

// drainConn reads until c ends.
func drainConn(c io.Reader, size int) {
	buf := make([]byte, size)
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
	}
}

// drainStream receives until s ends.
func drainStream(ctx context.Context, s trigo.ReceiveStream, size int) {
	buf := make([]byte, size)
	for {
		if _, err := s.ReceiveSome(ctx, buf); err != nil {
			return
		}
	}
}
