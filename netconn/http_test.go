package netconn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/process"
	"trigo/tlsstream"
	"trigo/trigotest"
)

// A place is where a server listens and how a client gets there.
type place struct {
	l    trigo.Listener[trigo.Stream]
	dial func(ctx context.Context, address string) (trigo.Stream, error)
}

// over is a listener whose streams are put under something.
type over[S trigo.Stream] struct {
	trigo.Listener[S]
	put func(trigo.Stream) trigo.Stream
}

func (l over[S]) Accept(ctx context.Context) (trigo.Stream, error) {
	s, err := l.Listener.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return l.put(s), nil
}

func asIs(s trigo.Stream) trigo.Stream { return s }

func tcpPlace(t *testing.T) place {
	ls, err := netstream.ListenTCP(t.Context(), "127.0.0.1:0", nil)
	check(t, err)
	return place{over[*netstream.Stream]{ls[0], asIs}, func(ctx context.Context, _ string) (trigo.Stream, error) {
		return netstream.DialTCP(ctx, ls[0].Addr().String(), nil)
	}}
}

func unixPlace(t *testing.T) (p place, path string) {
	dir, err := os.MkdirTemp("", "t")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = dir + "/s"
	l, err := netstream.ListenUnix(t.Context(), path, nil)
	check(t, err)
	return place{over[*netstream.Stream]{l, asIs}, func(ctx context.Context, _ string) (trigo.Stream, error) {
		return netstream.DialUnix(ctx, path)
	}}, path
}

// tlsPlace puts TLS on a place. The server has its handshake when it first
// reads, as usual.
func tlsPlace(p place, protocol string) place {
	config := clientConfig()
	config.NextProtos = []string{protocol}
	return place{
		over[trigo.Stream]{p.l, func(s trigo.Stream) trigo.Stream { return tlsstream.Server(s, serverConfig(), nil) }},
		func(ctx context.Context, address string) (trigo.Stream, error) {
			s, err := p.dial(ctx, address)
			if err != nil {
				return nil, err
			}
			c := tlsstream.Client(s, config, nil)
			if err := c.Handshake(ctx); err != nil {
				return nil, errors.Join(err, c.Close(ctx))
			}
			if state, err := c.ConnectionState(); err != nil || state.NegotiatedProtocol != protocol {
				return nil, fmt.Errorf("negotiated %q, %v", state.NegotiatedProtocol, err)
			}
			return c, nil
		},
	}
}

// memoryPlace connects without any network.
type memoryPlace struct {
	conns  chan trigo.Stream
	closed chan struct{}
	once   sync.Once
}

func (m *memoryPlace) Accept(ctx context.Context) (trigo.Stream, error) {
	select {
	case s := <-m.conns:
		return s, nil
	case <-m.closed:
		return nil, trigo.ErrClosed
	case <-ctx.Done():
		return nil, trigo.CancelError(ctx)
	}
}

func (m *memoryPlace) Close(context.Context) error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

func (m *memoryPlace) dial(ctx context.Context, _ string) (trigo.Stream, error) {
	a, b := trigotest.NewMemoryPair()
	select {
	case m.conns <- b:
		return a, nil
	case <-ctx.Done():
		return nil, trigo.CancelError(ctx)
	}
}

// childPlace is reached by way of the stdio of a child that connects to a Unix
// socket, as ssh does with a ProxyCommand.
func childPlace(t *testing.T) place {
	p, path := unixPlace(t)
	self, err := os.Executable()
	check(t, err)
	p.dial = func(ctx context.Context, _ string) (trigo.Stream, error) {
		child, err := process.Open(ctx, &process.Command{
			Args: []string{self}, Env: append(os.Environ(), childEnv+"="+path),
			Stdin: process.Pipe, Stdout: process.Pipe,
		})
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() {
			if _, err := child.Wait(context.Background()); err != nil {
				t.Error(err)
			}
		})
		return child.Stdio(), nil
	}
	return p
}

const childEnv = "TRIGO_TEST_CONNECT_STDIO_TO"

// init is the child's main.
func init() {
	path := os.Getenv(childEnv)
	if path == "" {
		return
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() {
		io.Copy(c, os.Stdin)
		c.(*net.UnixConn).CloseWrite()
	}()
	io.Copy(os.Stdout, c)
	os.Exit(0)
}

func TestHTTP(t *testing.T) {
	for version, protocol := range map[string]string{"HTTP/1.1": "http/1.1", "HTTP/2.0": "h2"} {
		for name, open := range map[string]func(t *testing.T) place{
			"TCP":        tcpPlace,
			"Unix":       func(t *testing.T) place { p, _ := unixPlace(t); return p },
			"TLS":        func(t *testing.T) place { return tlsPlace(tcpPlace(t), protocol) },
			"TLS in TLS": func(t *testing.T) place { return tlsPlace(tlsPlace(tcpPlace(t), protocol), protocol) },
			"child":      childPlace,
			"memory": func(t *testing.T) place {
				m := &memoryPlace{conns: make(chan trigo.Stream), closed: make(chan struct{})}
				return place{m, m.dial}
			},
		} {
			t.Run(version+" over "+name, func(t *testing.T) { testHTTP(t, open(t), version) })
		}
	}
}

func testHTTP(t *testing.T, p place, version string) {
	var states sync.Map
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Proto != version {
				t.Errorf("a request of %s", r.Proto)
			}
			io.Copy(w, r.Body)
		}),
		Protocols:         new(http.Protocols),
		ReadHeaderTimeout: 10 * time.Second, // deadlines are set and taken away
		IdleTimeout:       10 * time.Second,
		ConnState:         func(c net.Conn, s http.ConnState) { states.Store(c, s) },
	}
	transport := &http.Transport{Protocols: new(http.Protocols), DialContext: Dialer(p.dial, nil)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true) // net/http sees no *tls.Conn, whatever is below
	transport.Protocols.SetHTTP1(version == "HTTP/1.1")
	transport.Protocols.SetUnencryptedHTTP2(version == "HTTP/2.0")

	served := start(func() (int, error) { return 0, server.Serve(Listener(p.l, nil)) })
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	exchange := func(body string) {
		r, err := client.Post("http://"+testName+"/", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		defer r.Body.Close()
		got, err := io.ReadAll(r.Body)
		if err != nil || string(got) != body || r.Proto != version {
			t.Errorf("%s, %d bytes of %d, %v", r.Proto, len(got), len(body), err)
		}
	}
	const requests = 5
	for range requests {
		exchange("hello")
	}
	conns, most := 0, 1
	if version == "HTTP/2.0" {
		most = 2 // net/http shares a new connection only after it was given to the first request
	}
	states.Range(func(any, any) bool { conns++; return true })
	if conns < 1 || conns > most {
		t.Errorf("%d connections for %d requests, one after the other", conns, requests)
	}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() { exchange(string(bytes.Repeat([]byte{byte('a' + i)}, 1<<20))) })
	}
	all.Wait()

	transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if r := <-served; r.err != http.ErrServerClosed {
		t.Errorf("Serve returned %v", r.err)
	}
}
