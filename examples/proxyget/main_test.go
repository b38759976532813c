package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"os"
	"strings"
	"testing"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/relay"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
)

// TestGetThroughTheProxy needs no second program: the site and the proxy are
// servers of the test.
func TestGetThroughTheProxy(t *testing.T) {
	ca, err := devcert.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Leaf(nil, "site.test", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	server := &tls.Config{Certificates: []tls.Certificate{leaf}}
	asked := make(chan string, 2)

	// page is the site, on the far end of the proxy.
	page := func(ctx context.Context, s trigo.Stream) error {
		site := tlsstream.Server(s, server, nil)
		request, err := trigo.NewBufferedReceiver(site).ReceiveUntil(ctx, []byte("\r\n\r\n"), 0)
		if err != nil {
			return err
		}
		asked <- string(request)
		if err := site.SendAll(ctx, []byte("HTTP/1.0 200 OK\r\n\r\nit works\n")); err != nil {
			return err
		}
		return trigo.LingeringClose(ctx, site)
	}
	proxy := func(ctx context.Context, client *tlsstream.Stream) error {
		request := trigo.NewBufferedReceiver(client)
		header, err := request.ReceiveUntil(ctx, []byte("\r\n\r\n"), 0)
		if err != nil {
			return err
		}
		asked <- string(header)
		if err := client.SendAll(ctx, []byte("HTTP/1.1 200 established\r\n\r\n")); err != nil {
			return err
		}
		return toSite(ctx, trigo.Staple(client, request), page)
	}

	out := captured(t, func(ctx context.Context) error {
		return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
			stop := make(chan struct{})
			defer close(stop)
			address, err := nursery.Start(ctx, n, func(ctx context.Context, started func(string)) error {
				return tlsstream.ServeTCP(ctx, "127.0.0.1:0", server, proxy, &tlsstream.ServeTCPOptions{
					Ready: func(ls []*tlsstream.Listener) {
						l, _ := trigo.As[*netstream.Listener](ls[0])
						started(l.Addr().String())
					},
					Serve: trigo.ServeOptions{Stop: stop},
				})
			})
			if err != nil {
				return err
			}
			return get(ctx, address, "site.test", "/index.html", &tls.Config{RootCAs: ca.Pool()})
		})
	})
	if !strings.HasSuffix(out, "\r\n\r\nit works\n") {
		t.Errorf("the page is %q", out)
	}
	if got := <-asked; !strings.HasPrefix(got, "CONNECT site.test:443 HTTP/1.1\r\n") {
		t.Errorf("the proxy was asked %q", got)
	}
	if got := <-asked; !strings.HasPrefix(got, "GET /index.html HTTP/1.0\r\n") {
		t.Errorf("the site was asked %q", got)
	}
}

// toSite joins the client with a site at the other end of a socket.
func toSite(ctx context.Context, client trigo.Stream, site func(context.Context, trigo.Stream) error) error {
	return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		stop := make(chan struct{})
		defer close(stop)
		address, err := nursery.Start(ctx, n, func(ctx context.Context, started func(string)) error {
			handler := func(ctx context.Context, s *netstream.Stream) error { return site(ctx, s) }
			return netstream.ServeTCP(ctx, "127.0.0.1:0", handler, &netstream.ServeTCPOptions{
				Ready: func(ls []*netstream.Listener) { started(ls[0].Addr().String()) },
				Serve: trigo.ServeOptions{Stop: stop},
			})
		})
		if err != nil {
			return err
		}
		s, err := netstream.DialTCP(ctx, address, nil)
		if err != nil {
			return err
		}
		_, err = relay.Run(ctx, client, s, nil)
		return err
	})
}

// captured returns what f writes to standard output.
func captured(t *testing.T, f func(ctx context.Context) error) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	stdout := os.Stdout
	os.Stdout = w
	var out bytes.Buffer
	done := make(chan struct{})
	go func() { defer close(done); io.Copy(&out, r) }()
	err = f(t.Context())
	os.Stdout = stdout
	w.Close()
	<-done
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}
