//go:build unix

package process

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"

	"trigo"
	"trigo/internal/fdstream"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
	"trigo/trigotest"
)

// echoTLS is the child that serves TLS on its standard input and output. The
// first line on standard error names its key, for who started it to check.
func echoTLS() {
	if err := echoTLSTo(context.Background(), os.Stderr); err != nil {
		log.Fatal(err)
	}
}

func echoTLSTo(ctx context.Context, pins io.Writer) error {
	authority, err := devcert.NewAuthority()
	if err != nil {
		return err
	}
	leaf, err := authority.Leaf(nil, "child")
	if err != nil {
		return err
	}
	fmt.Fprintln(pins, devcert.Pin(leaf.Leaf))
	in, err := fdstream.Stdin()
	if err != nil {
		return err
	}
	out, err := fdstream.Stdout()
	if err != nil {
		return err
	}
	s := tlsstream.Server(trigo.Staple(out, in), &tls.Config{Certificates: []tls.Certificate{leaf}}, nil)
	defer s.Close(ctx)
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err != nil {
			return err
		}
		if err := s.SendAll(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// pinned trusts the one key that pin names.
func pinned(pin string) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, VerifyConnection: devcert.VerifyPin(pin)}
}

func TestTLSOverTheStdioOfAChild(t *testing.T) {
	c := asChild(t, "tls")
	c.Stdin, c.Stdout, c.Stderr = Pipe, Pipe, Pipe
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // more than all buffers on the way
	err := whilst(t, t.Context(), c, func(ctx context.Context, n *nursery.Nursery, p *Process) error {
		pin, err := receiveLine(ctx, p.Stderr())
		if err != nil {
			return err
		}
		s := tlsstream.Client(p.Stdio(), pinned(pin), nil)
		defer trigo.CloseForcefully(s)
		n.Go(func(ctx context.Context) error {
			if err := s.SendAll(ctx, data); err != nil {
				return err
			}
			return s.SendEOF(ctx)
		})
		got, err := receiveAll(ctx, s) // its end is the child's close_notify
		if err != nil || got != string(data) {
			t.Errorf("received %d bytes, %v", len(got), err)
		}
		return s.Close(ctx)
	})
	if err != nil { // the status of the child included
		t.Error(err)
	}
}

// The end of a pipe is no end of TLS.
func TestKilledChildTruncatesItsTLS(t *testing.T) {
	c := asChild(t, "tls")
	c.Stdin, c.Stdout, c.Stderr, c.NoCheck = Pipe, Pipe, Pipe, true
	err := whilst(t, t.Context(), c, func(ctx context.Context, n *nursery.Nursery, p *Process) error {
		pin, err := receiveLine(ctx, p.Stderr())
		if err != nil {
			return err
		}
		s := tlsstream.Client(p.Stdio(), pinned(pin), nil)
		defer trigo.CloseForcefully(s)
		if err := s.SendAll(ctx, []byte("echo\n")); err != nil {
			return err
		}
		if line, err := receiveLine(ctx, s); line != "echo" || err != nil {
			t.Errorf("received %q, %v", line, err)
		}
		p.Kill()
		if _, err := s.ReceiveSome(ctx, make([]byte, 1)); !errors.Is(err, trigo.ErrTruncated) {
			t.Errorf("received %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// What ssh calls a ProxyCommand: the transport is some program that connects.
func TestTLSThroughAProgramThatConnects(t *testing.T) {
	if _, err := exec.LookPath("socat"); err != nil {
		t.Skip("socat is not installed")
	}
	authority, err := devcert.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := authority.Leaf(nil, "far.example")
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := netstream.ListenTCP(t.Context(), "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	l := tlsstream.NewListener(tcp[0], &tls.Config{Certificates: []tls.Certificate{leaf}}, nil)
	defer l.Close(context.Background())
	c := &Command{Args: []string{"socat", "-t", "10", "-", "TCP:" + tcp[0].Addr().String()}, Stdin: Pipe, Stdout: Pipe}
	err = whilst(t, t.Context(), c, func(ctx context.Context, n *nursery.Nursery, p *Process) error {
		n.Go(func(ctx context.Context) error {
			s, err := l.Accept(ctx)
			if err != nil {
				return err
			}
			defer s.Close(ctx)
			all, err := receiveAll(ctx, s)
			if err != nil {
				return err
			}
			return s.SendAll(ctx, []byte("received "+all))
		})
		s := tlsstream.Client(p.Stdio(), &tls.Config{RootCAs: authority.Pool(), ServerName: "far.example"}, nil)
		defer s.Close(ctx)
		if err := s.SendAll(ctx, []byte("a letter")); err != nil {
			return err
		}
		if err := s.SendEOF(ctx); err != nil {
			return err
		}
		all, err := receiveAll(ctx, s)
		if all != "received a letter" {
			t.Errorf("received %q", all)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// catEnd is one end of a pair of streams with a live cat in each direction:
//
//	a.Send -> cat -> b.Receive
//	b.Send -> cat -> a.Receive
//
// It is made of the halves of two Stdio streams, so that both its ends are here.
// The cats go when both ends are closed.
type catEnd struct {
	*trigo.StapledStream
	cats *cats
	once sync.Once
}

type cats struct {
	running [2]*Process
	ends    atomic.Int32 // that are open
}

func (e *catEnd) Close(ctx context.Context) error {
	defer e.once.Do(e.cats.leave)
	return e.StapledStream.Close(ctx)
}

func (e *catEnd) Abort() error {
	defer e.once.Do(e.cats.leave)
	return e.StapledStream.Abort()
}

// leave is called when an end is closed. The last one waits for the cats, whose
// input has ended and whom nobody hears.
func (c *cats) leave() {
	if c.ends.Add(-1) > 0 {
		return
	}
	for _, p := range c.running {
		p.Wait(context.Background())
	}
}

// Every promise of a stream holds with a process in the way that buffers as it
// likes. Only an abort is not seen as one: a pipe cannot tell it from an end.
func TestStdioConformsThroughLiveChildren(t *testing.T) {
	open := func(ctx context.Context) (a, b *catEnd, err error) {
		all := new(cats)
		for i := range all.running {
			all.running[i], err = Open(ctx, &Command{Args: []string{"cat"}, Stdin: Pipe, Stdout: Pipe})
			if err != nil {
				return nil, nil, err
			}
		}
		all.ends.Store(2)
		end := func(send, receive *Process) *catEnd {
			return &catEnd{StapledStream: trigo.Staple(send.Stdio().Send, receive.Stdio().Receive), cats: all}
		}
		return end(all.running[0], all.running[1]), end(all.running[1], all.running[0]), nil
	}
	clogged := func(ctx context.Context) (a, b *catEnd, err error) {
		if a, b, err = open(ctx); err != nil {
			return nil, nil, err
		}
		return a, b, errors.Join(trigotest.Clog(ctx, a), trigotest.Clog(ctx, b))
	}
	trigotest.CheckHalfCloseableStream(t, open, clogged, &trigotest.CheckOptions{AbortIsEOF: true})
}
