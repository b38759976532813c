package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"math/big"

	"trigo"
	"trigo/nursery"
	"trigo/proxy"
	"trigo/relay"
)

// parsed parses an address that must be right.
func parsed(t *testing.T, text string, args ...any) Endpoint {
	t.Helper()
	e, err := Parse(fmt.Sprintf(text, args...))
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, err.(*Error).Hint)
	}
	return e
}

// limited returns a ctx that ends before the test would be killed.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// A server serves an endpoint for the time of a test.
type server struct {
	recipe *Recipe
	port   string       // of its first listener, if it has one
	failed chan error   // what Open failed with
	done   chan error   // what the server ended with
	stop   func() error // ends it, once
}

// serve listens on an address and runs handler for each connection that was opened.
func serve(t *testing.T, text string, opts *Options, handler func(ctx context.Context, s trigo.Stream) error) *server {
	t.Helper()
	recipe, err := parsed(t, "%s", text).Prepare(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return serveRecipe(t, t.Context(), recipe, handler)
}

func serveRecipe(t *testing.T, ctx context.Context, recipe *Recipe, handler func(ctx context.Context, s trigo.Stream) error) *server {
	t.Helper()
	listeners, err := recipe.Listen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	sv := &server{recipe: recipe, failed: make(chan error, 100), done: make(chan error, 1)}
	if _, port, err := net.SplitHostPort(listeners[0].Addr().String()); err == nil {
		sv.port = port
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		sv.done <- trigo.ServeListeners(ctx, func(ctx context.Context, in *Incoming) error {
			s, err := in.Open(ctx)
			if err != nil {
				sv.failed <- err
				return nil
			}
			if err := handler(ctx, s); err != nil && !nursery.IsCancellation(ctx, err) {
				sv.failed <- err
				return nil
			}
			return s.Close(ctx)
		}, listeners, &trigo.ServeOptions{HandlerError: func(error) error { return nil }})
	}()
	stopped := false
	sv.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		err := <-sv.done
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}
	t.Cleanup(func() {
		if err := sv.stop(); err != nil {
			t.Error(err)
		}
	})
	return sv
}

// echoing sends back what it receives, and then the end.
func echoing(ctx context.Context, s trigo.Stream) error {
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err == nil {
			err = s.SendAll(ctx, chunk)
		}
		if err != nil {
			return err
		}
	}
	if h, ok := s.(trigo.HalfCloseableStream); ok {
		return h.SendEOF(ctx)
	}
	return nil
}

// proxying is an HTTP proxy. It wants a password if auth is not nil.
func proxying(auth *proxy.Auth) func(ctx context.Context, s trigo.Stream) error {
	return func(ctx context.Context, s trigo.Stream) error {
		r, err := proxy.AcceptConnect(ctx, s)
		if err != nil {
			return err
		}
		if auth != nil && (r.Auth == nil || *r.Auth != *auth) {
			if err := r.Refuse(ctx, 407); err != nil {
				return err
			}
			return trigo.LingeringClose(ctx, s.(trigo.HalfCloseableStream))
		}
		e, err := Parse("tcp:" + r.Target)
		if err != nil {
			return err
		}
		target, err := e.Dial(ctx, nil)
		if err != nil {
			return r.Refuse(ctx, 502)
		}
		if err := r.Accept(ctx); err != nil {
			return err
		}
		_, err = relay.Run(ctx, s, target, nil)
		return err
	}
}

// dial opens an address that must be there.
func dial(t *testing.T, opts *Options, text string, args ...any) trigo.Stream {
	t.Helper()
	s, err := parsed(t, text, args...).Dial(limited(t), opts)
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, err.(*Error).Hint)
	}
	t.Cleanup(func() { trigo.CloseForcefully(s) })
	return s
}

// roundTrip sends text and the end, and wants the same back.
func roundTrip(t *testing.T, s trigo.Stream, text string) {
	t.Helper()
	ctx := limited(t)
	var got []byte
	err := nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			if err := s.SendAll(ctx, []byte(text)); err != nil {
				return err
			}
			return s.(trigo.HalfCloseableStream).SendEOF(ctx)
		})
		var err error
		got, err = receiveAll(ctx, s)
		return err
	})
	if err != nil || string(got) != text {
		t.Fatalf("%.60q came back, %d bytes of %d, %v", got, len(got), len(text), err)
	}
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func receiveAll(ctx context.Context, s trigo.ReceiveStream) (all []byte, err error) {
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err != nil {
			return all, err
		}
		all = append(all, chunk...)
	}
	return all, nil
}

// exactly receives one piece after the other until there are n bytes.
func exactly(t *testing.T, s trigo.ReceiveStream, n int) string {
	t.Helper()
	p, err := trigo.NewBufferedReceiver(s).ReceiveExactly(limited(t), n)
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

// wantError checks the error of opening: its phase, its line, its hint.
func wantError(t *testing.T, err error, phase Phase, line, hint string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v, want one of the phase %s", err, phase)
	}
	if e.Phase != phase || !contains(e.Error(), line) || !contains(e.Hint, hint) || contains(e.Error()+e.Hint, "\n") {
		t.Errorf("got  %s: %s\n     hint: %s\nwant %s: %s\n     hint: %s", e.Phase, e, e.Hint, phase, line, hint)
	}
	return e
}

// files are a certificate authority and what it has signed, as files.
type files struct {
	dir, ca string
	caCert  *x509.Certificate
	caKey   *ecdsa.PrivateKey
	serial  int64
}

func newFiles(t *testing.T) *files {
	t.Helper()
	f := &files{dir: t.TempDir()}
	var err error
	if f.caKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, f.caKey.Public(), f.caKey)
	if err != nil {
		t.Fatal(err)
	}
	f.caCert, _ = x509.ParseCertificate(der)
	f.ca = filepath.Join(f.dir, "ca.pem")
	f.write(t, f.ca, pem.Block{Type: "CERTIFICATE", Bytes: der})
	return f
}

// leaf writes a certificate with its key to a file and returns its path.
func (f *files) leaf(t *testing.T, file, cn string, dns []string, uris ...string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1 + f.serial), Subject: pkix.Name{CommonName: cn}, DNSNames: dns, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, text := range uris {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		template.URIs = append(template.URIs, u)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, f.caCert, key.Public(), f.caKey)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(f.dir, file)
	f.write(t, path, pem.Block{Type: "CERTIFICATE", Bytes: der}, pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	return path
}

func (f *files) write(t *testing.T, path string, blocks ...pem.Block) {
	t.Helper()
	var text []byte
	for _, b := range blocks {
		text = append(text, pem.EncodeToMemory(&b)...)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func serialOf(state tls.ConnectionState) int64 { return state.PeerCertificates[0].SerialNumber.Int64() }

var _ = io.EOF
