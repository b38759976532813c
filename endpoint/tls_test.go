package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/proxy"
	"trigo/tlsstream"
)

func TestASelfSignedServerIsKnownByItsPin(t *testing.T) {
	sv := serve(t, "tls-server:127.0.0.1:0,self-signed", nil, echoing)
	pin := sv.recipe.Pins()[0]

	var step Step
	_, err := parsed(t, "tls:localhost+tcp:127.0.0.1:%s", sv.port).Dial(limited(t), &Options{Observe: func(s Step) { step = s }})
	e := wantError(t, err, PhaseHandshake, "tls handshake with localhost over tcp 127.0.0.1:"+sv.port+": certificate signed by unknown authority",
		"pass ca=FILE or pin="+pin)
	if e.Layer != "tls" || !errors.Is(err, trigo.ErrBroken) || len(step.Certificates) != 1 || CertificatePin(step.Certificates[0]) != pin || step.Err != err {
		t.Errorf("%#v, %+v", e, step)
	}
	<-sv.failed

	roundTrip(t, dial(t, nil, "tls:localhost,pin=%s+tcp:127.0.0.1:%s", pin, sv.port), longText)
	roundTrip(t, dial(t, nil, "tls:other.example,pin=%s+tcp:127.0.0.1:%s", pin, sv.port), "x")
	roundTrip(t, dial(t, nil, "tls,verify=off+tcp:127.0.0.1:%s", sv.port), "x")
}

func TestCertificatesOfAnAuthority(t *testing.T) {
	f := newFiles(t)
	cert := f.leaf(t, "server.pem", "server", []string{"localhost", "db.internal"})
	sv := serve(t, "tls-server,cert="+cert+",alpn=h2,alpn=http/1.1+tcp-listen:127.0.0.1:0", nil, echoing)

	s := dial(t, nil, "tls:localhost,ca=%s,alpn=spdy,alpn=http/1.1,min=1.3+tcp:127.0.0.1:%s", f.ca, sv.port)
	if p, err := s.(*tlsstream.Stream).ALPN(); p != "http/1.1" || err != nil {
		t.Errorf("ALPN: %q, %v", p, err)
	}
	roundTrip(t, s, longText)
	roundTrip(t, dial(t, nil, "tls,name=db.internal,ca=%s+tcp:127.0.0.1:%s", f.ca, sv.port), "x")
	roundTrip(t, dial(t, nil, "tls:127.0.0.1:%s,ca=%s", sv.port, f.ca), "x")

	_, err := parsed(t, "tls:db.other,ca=%s+tcp:127.0.0.1:%s", f.ca, sv.port).Dial(limited(t), nil)
	wantError(t, err, PhaseHandshake, "tls handshake with db.other over tcp 127.0.0.1:"+sv.port+": certificate is valid for", "if that is the right peer, pass pin=sha256:")
	_, err = parsed(t, "tls:localhost,ca=%s,pin=sha256:%s+tcp:127.0.0.1:%s", f.ca, strings.Repeat("0", 64), sv.port).Dial(limited(t), nil)
	wantError(t, err, PhaseHandshake, "the peer has another key than the pinned one", "pass pin=sha256:")
}

func TestFilesThatAreNotWhatTheyShouldBe(t *testing.T) {
	f := newFiles(t)
	cert := f.leaf(t, "server.pem", "server", []string{"localhost"})
	junk := f.dir + "/junk"
	if err := os.WriteFile(junk, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][2]string{
		"tls:h:1,ca=/no/such":                        {"tls: ca: open /no/such: no such file", ""},
		"tls:h:1,ca=" + junk:                         {"tls: ca: there is no certificate in " + junk, "PEM"},
		"tls-server:1,cert=" + junk:                  {"tls-server: cert: " + junk, "key=FILE"},
		"tls-server:1,cert=" + f.ca:                  {"tls-server: cert: " + f.ca, "key=FILE"},
		"tls-server:1,cert=" + cert + ",key=" + junk: {"tls-server: key: " + junk, ""},
		"tls:h:1,keylog=/no/such/dir/f":              {"tls: keylog: open /no/such/dir/f", ""},
		"tls:h:1,cert=" + cert + ",key=/no/such":     {"tls: key: open /no/such", ""},
		"connect:h:1,auth=nobody+tcp:h:1":            {"connect: auth: it has no password", "want USER:PASSWORD"},
		"connect:h:1,header=nothing+tcp:h:1":         {"connect: header: it has no colon", "want NAME: VALUE"},
	} {
		_, err := parsed(t, "%s", text).Prepare(t.Context(), nil)
		wantError(t, err, PhasePrepare, want[0], want[1])
	}
}

func TestOnlyClientsThatAreAllowedGetIn(t *testing.T) {
	f := newFiles(t)
	server := f.leaf(t, "server.pem", "server", []string{"localhost"})
	one := f.leaf(t, "one.pem", "one", []string{"One.example"}, "spiffe://test/one")
	two := f.leaf(t, "two.pem", "two", nil)
	sv := serve(t, "tls-server,cert="+server+",ca="+f.ca+",allow-dns=one.example,allow-uri=spiffe://test/none+tcp-listen:127.0.0.1:0", nil, echoing)

	roundTrip(t, dial(t, nil, "tls:localhost,ca=%s,cert=%s+tcp:127.0.0.1:%s", f.ca, one, sv.port), "x")

	// With TLS 1.3 the client is ready before the server has looked at it.
	s := dial(t, nil, "tls:localhost,ca=%s,cert=%s+tcp:127.0.0.1:%s", f.ca, two, sv.port)
	if _, err := s.ReceiveSome(limited(t), make([]byte, 1)); !errors.Is(err, trigo.ErrBroken) {
		t.Errorf("the client that is refused gets %v", err)
	}
	err := <-sv.failed
	e := wantError(t, err, PhaseHandshake, `a client with the certificate of "two" is not allowed`, "")
	if !errors.Is(err, ErrDenied) || e.Layer != "tls-server" {
		t.Errorf("%#v", e)
	}

	s = dial(t, nil, "tls:localhost,ca=%s+tcp:127.0.0.1:%s", f.ca, sv.port)
	if _, err := s.ReceiveSome(limited(t), make([]byte, 1)); !errors.Is(err, trigo.ErrBroken) {
		t.Errorf("the client without a certificate gets %v", err)
	}
	wantError(t, <-sv.failed, PhaseHandshake, "client didn't provide a certificate", "")
}

func TestAClientCanBeKnownByItsPin(t *testing.T) {
	f := newFiles(t)
	one, two := f.leaf(t, "one.pem", "one", nil), f.leaf(t, "two.pem", "two", nil)
	pair, err := tls.LoadX509KeyPair(one, one)
	if err != nil {
		t.Fatal(err)
	}
	sv := serve(t, "tls-server,self-signed,pin="+CertificatePin(pair.Leaf)+"+tcp-listen:127.0.0.1:0", nil, echoing)
	pin := sv.recipe.Pins()[0]
	roundTrip(t, dial(t, nil, "tls:h,pin=%s,cert=%s+tcp:127.0.0.1:%s", pin, one, sv.port), "x")
	s := dial(t, nil, "tls:h,pin=%s,cert=%s+tcp:127.0.0.1:%s", pin, two, sv.port)
	if _, err := s.ReceiveSome(limited(t), make([]byte, 1)); err == nil {
		t.Error("a client with another key is let in")
	}
	if err := <-sv.failed; !errors.Is(err, ErrDenied) {
		t.Error(err)
	}
}

func TestReloadSwapsCertificatesUnderOpenConnections(t *testing.T) {
	f := newFiles(t)
	cert := f.leaf(t, "server.pem", "server", []string{"localhost"})
	sv := serve(t, "tls-server,cert="+cert+"+tcp-listen:127.0.0.1:0", nil, echoing)
	address := "tls:localhost,ca=" + f.ca + "+tcp:127.0.0.1:" + sv.port
	serial := func(s trigo.Stream) int64 {
		state, err := s.(*tlsstream.Stream).ConnectionState()
		if err != nil {
			t.Fatal(err)
		}
		return serialOf(state)
	}
	before := dial(t, nil, "%s", address)

	f.leaf(t, "server.pem", "server", []string{"localhost"})
	if err := sv.recipe.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := dial(t, nil, "%s", address)
	if a, b := serial(before), serial(after); a == b {
		t.Errorf("the serial number is %d before and after", a)
	}
	roundTrip(t, before, longText)
	roundTrip(t, after, longText)

	if err := os.WriteFile(cert, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, sv.recipe.Reload(t.Context()), PhasePrepare, "tls-server: cert: ", "")
	roundTrip(t, dial(t, nil, "%s", address), "the old one is still good")
}

// The outer layer is read first, and must not have the new file when the inner one's
// turns out to be bad.
func TestReloadOfSeveralLayersIsAllOrNothing(t *testing.T) {
	f := newFiles(t)
	outer, inner := f.leaf(t, "outer.pem", "outer", nil), f.leaf(t, "inner.pem", "inner", nil)
	recipe, err := parsed(t, "tls-server,cert=%s+tls-server,cert=%s+tcp-listen:127.0.0.1:0", outer, inner).Prepare(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := recipe.Pins()
	f.leaf(t, "outer.pem", "outer", nil)
	if err := os.WriteFile(inner, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, recipe.Reload(t.Context()), PhasePrepare, "tls-server: cert: ", "")
	if got := recipe.Pins(); !slices.Equal(got, before) {
		t.Errorf("a Reload that failed changed the keys from %q to %q", before, got)
	}
	f.leaf(t, "inner.pem", "inner", nil)
	if err := recipe.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := recipe.Pins(); got[0] == before[0] || got[1] == before[1] {
		t.Errorf("the keys were %q and are %q", before, got)
	}
}

func TestACutIsNoEndUnlessItIsAllowed(t *testing.T) {
	for ragged, want := range map[string]error{"error": trigo.ErrTruncated, "ok": io.EOF} {
		sv := serve(t, "tls-server,self-signed+tcp-listen:127.0.0.1:0", nil, func(ctx context.Context, s trigo.Stream) error {
			if err := s.SendAll(ctx, []byte("x")); err != nil {
				return err
			}
			tcp, _ := trigo.As[*netstream.Stream](s)
			return tcp.SendEOF(ctx)
		})
		s := dial(t, nil, "tls:localhost,pin=%s,ragged=%s+tcp:127.0.0.1:%s", sv.recipe.Pins()[0], ragged, sv.port)
		exactly(t, s, 1)
		if _, err := s.ReceiveSome(limited(t), make([]byte, 1)); !errors.Is(err, want) {
			t.Errorf("ragged=%s: %v", ragged, err)
		}
	}
}

func TestKeysAreLogged(t *testing.T) {
	path := t.TempDir() + "/keys"
	sv := serve(t, "tls-server,self-signed+tcp-listen:127.0.0.1:0", nil, echoing)
	roundTrip(t, dial(t, nil, "tls:localhost,pin=%s,keylog=%s+tcp:127.0.0.1:%s", sv.recipe.Pins()[0], path, sv.port), "x")
	if text, err := os.ReadFile(path); !strings.Contains(string(text), "CLIENT_TRAFFIC_SECRET_0") || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

func TestTLSInTLSThroughAProxy(t *testing.T) {
	f := newFiles(t)
	cert := f.leaf(t, "server.pem", "server", []string{"site.test", "proxy.test"})
	site := serve(t, "tls-server,cert="+cert+"+tcp-listen:127.0.0.1:0", nil, echoing)
	front := serve(t, "tls-server,cert="+cert+"+tcp-listen:127.0.0.1:0", nil, proxying(&proxy.Auth{User: "me", Password: "a,b+c"}))

	var steps []string
	observe := &Options{Observe: func(s Step) {
		if s.Err != nil || s.Stream == nil || s.Duration < 0 {
			t.Errorf("%+v", s)
		}
		steps = append(steps, s.Layer+" "+string(s.Phase))
	}}
	s := dial(t, observe, "tls:site.test,ca=%[1]s+connect:127.0.0.1:%[2]s,auth=me:a%%2Cb%%2Bc+tls:proxy.test,ca=%[1]s+tcp:127.0.0.1:%[3]s", f.ca, site.port, front.port)
	if got := strings.Join(steps, ", "); got != "tcp connect, tls handshake, connect proxy, tls handshake" {
		t.Errorf("the steps are %s", got)
	}
	var layers []string
	for l := range trigo.Layers(s) {
		switch l.(type) {
		case *tlsstream.Stream:
			layers = append(layers, "tls")
		case *netstream.Stream:
			layers = append(layers, "tcp")
		}
	}
	if got := strings.Join(layers, " "); got != "tls tls tcp" {
		t.Errorf("the layers are %s", got)
	}
	roundTrip(t, s, longText)

	_, err := parsed(t, "tls:site.test,ca=%[1]s+connect:127.0.0.1:%[2]s+tls:proxy.test,ca=%[1]s+tcp:127.0.0.1:%[3]s", f.ca, site.port, front.port).Dial(limited(t), nil)
	e := wantError(t, err, PhaseProxy, "proxy connection to 127.0.0.1:"+site.port+" over tls1.3", "pass auth=USER:PASSWORD")
	if !errors.Is(err, proxy.ErrRefused) || e.Layer != "connect" {
		t.Errorf("%#v", e)
	}
}

func TestASilentPeerIsNotWaitedForLonger(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for layer, phase := range map[string]Phase{"tls:h": PhaseHandshake, "connect:h:1": PhaseProxy, "socks5:h:1": PhaseProxy, "tls-server,self-signed": PhaseHandshake} {
		_, err := parsed(t, "%s+tcp:%s", layer, l.Addr()).Dial(limited(t), &Options{HandshakeTimeout: 20 * time.Millisecond})
		wantError(t, err, phase, " within 20ms", "is silent")
		if !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", layer, err)
		}
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("%s: the connection is left open: %v", layer, err)
		}
		conn.Close()
	}
	// Accept does not wait for it at all, and others are served meanwhile.
	sv := serve(t, "tls-server,self-signed+tcp-listen:127.0.0.1:0", &Options{HandshakeTimeout: -1}, echoing)
	silent := dial(t, nil, "tcp:127.0.0.1:%s", sv.port)
	roundTrip(t, dial(t, nil, "tls:localhost,pin=%s+tcp:127.0.0.1:%s", sv.recipe.Pins()[0], sv.port), "x")
	silent.Close(t.Context())
	<-sv.failed
}
