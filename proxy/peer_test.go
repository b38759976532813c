package proxy_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/proxy"
)

// curl runs curl against a proxy of ours, which is also the web server behind
// it, and returns what it printed.
func curl(t *testing.T, handshake func(ctx context.Context, s trigo.Stream) error, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	l, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
	check(t, err)
	defer l[0].Close(ctx)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "PROXY", l[0].Addr().String())
	}
	cmd := exec.CommandContext(ctx, "curl", append([]string{"-sS", "--max-time", "20"}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	check(t, cmd.Start())
	defer func() { cancel(); cmd.Wait() }()
	s, err := l[0].Accept(ctx)
	check(t, err)
	defer s.Close(ctx)
	if err := handshake(ctx, s); err != nil {
		t.Fatal(err)
	}
	r := trigo.NewBufferedReceiver(s)
	if _, err := r.ReceiveUntil(ctx, []byte("\r\n\r\n"), 0); err == nil {
		check(t, s.SendAll(ctx, []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")))
		check(t, trigo.LingeringClose(ctx, s))
	}
	cmd.Wait()
	return out.String()
}

func TestCurlThroughConnect(t *testing.T) {
	out := curl(t, func(ctx context.Context, s trigo.Stream) error {
		r, err := proxy.AcceptConnect(ctx, s)
		if err != nil {
			return err
		}
		if r.Target != "example.invalid:8080" || r.Auth == nil || *r.Auth != (proxy.Auth{User: "us", Password: "p:w"}) {
			return fmt.Errorf("asked for %+v, %+v", r, r.Auth)
		}
		return r.Accept(ctx)
	}, "--proxytunnel", "-x", "http://PROXY", "--proxy-user", "us:p:w", "http://example.invalid:8080/")
	if out != "hello" {
		t.Errorf("curl printed %q", out)
	}
}

func TestCurlIsRefused(t *testing.T) {
	out := curl(t, func(ctx context.Context, s trigo.Stream) error {
		r, err := proxy.AcceptConnect(ctx, s)
		if err != nil {
			return err
		}
		if err := r.Refuse(ctx, 403); err != nil {
			return err
		}
		return trigo.LingeringClose(ctx, s.(trigo.HalfCloseableStream))
	}, "--proxytunnel", "-x", "http://PROXY", "http://example.invalid/")
	if !strings.Contains(out, "403") {
		t.Errorf("curl printed %q", out)
	}
}

func TestCurlThroughSOCKS5(t *testing.T) {
	out := curl(t, func(ctx context.Context, s trigo.Stream) error {
		target, account, err := acceptSOCKS5(ctx, s, 0)
		if err == nil && (target != "example.invalid:80" || *account != proxy.Auth{User: "us", Password: "pw"}) {
			err = fmt.Errorf("asked for %s, %+v", target, account)
		}
		return err
	}, "--socks5-hostname", "PROXY", "--proxy-user", "us:pw", "http://example.invalid/")
	if out != "hello" {
		t.Errorf("curl printed %q", out)
	}
}

func TestCurlSendsAHeader(t *testing.T) {
	out := curl(t, func(ctx context.Context, s trigo.Stream) error {
		h, err := proxy.AcceptHeader(ctx, s)
		if err == nil && (h.Version != 1 || h.Source.String() != s.(interface{ RemoteAddr() net.Addr }).RemoteAddr().String()) {
			err = fmt.Errorf("the header is %+v, and the peer is %v", h, s)
		}
		return err
	}, "--haproxy-protocol", "http://PROXY/")
	if out != "hello" {
		t.Errorf("curl printed %q", out)
	}
}

// A connection as a load balancer passes it on.
func TestHeaderOfAnAcceptedConnection(t *testing.T) {
	ctx := t.Context()
	l, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
	check(t, err)
	defer l[0].Close(ctx)
	a, err := netstream.DialTCP(ctx, l[0].Addr().String(), nil)
	check(t, err)
	defer a.Close(ctx)
	b, err := l[0].Accept(ctx)
	check(t, err)
	defer b.Close(ctx)
	for version := 1; version <= 2; version++ {
		check(t, proxy.SendHeader(ctx, a, proxy.HeaderFor(b, version)))
		h, err := proxy.AcceptHeader(ctx, b)
		check(t, err)
		if h.Source.String() != a.LocalAddr().String() || h.Destination.String() != l[0].Addr().String() {
			t.Errorf("version %d: %v to %v", version, h.Source, h.Destination)
		}
	}
}
