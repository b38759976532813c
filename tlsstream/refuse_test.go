package tlsstream

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/tlsstream/devcert"
	"trigo/trigotest"
)

// What is wrong with a peer is said by both ends, with the layer, the peer and
// the reason: by the one that refuses, and, because the alert is delivered, by
// the other. Over a transport without any buffer.
func TestRefusals(t *testing.T) {
	expired, err := identity().ca.Leaf(&devcert.LeafOptions{NotBefore: now().Add(-2 * time.Hour), NotAfter: now().Add(-time.Hour)}, testName)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name           string
		client, server func(c *tls.Config)
		says, hears    string
		serverRefuses  bool
	}{
		{"expired", nil, func(c *tls.Config) { c.Certificates = []tls.Certificate{expired} },
			"certificate has expired", "remote error: tls: bad certificate", false},
		{"wrong name", func(c *tls.Config) { c.ServerName = "other.example.org" }, nil,
			"certificate is valid for " + testName + ", not other.example.org", "remote error: tls: bad certificate", false},
		{"unknown authority", func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }, nil,
			"certificate signed by unknown authority", "remote error: tls: bad certificate", false},
		{"no common version", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 },
			"client offered only unsupported versions", "remote error: tls: protocol version not supported", true},
		{"no common cipher", func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
		}, func(c *tls.Config) { c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384} },
			"no cipher suite supported by both client and server", "remote error: tls: handshake failure", true},
		{"no common protocol", func(c *tls.Config) { c.NextProtos = []string{"a"} }, func(c *tls.Config) { c.NextProtos = []string{"b"} },
			"client requested unsupported application protocols", "remote error: tls: no application protocol", true},
		{"no client certificate", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
			func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, identity().ca.Pool() },
			"client didn't provide a certificate", "remote error: tls: handshake failure", true},
		{"no name", func(c *tls.Config) { c.ServerName = "" }, nil, "either ServerName or InsecureSkipVerify must be specified", "", false},
		{"no certificate", nil, func(c *tls.Config) { c.Certificates = nil }, "no certificates configured", "remote error: tls: unrecognized name", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cc, sc := clientConfig13(), serverConfig()
				if c.client != nil {
					c.client(cc)
				}
				if c.server != nil {
					c.server(sc)
				}
				a, b := trigotest.NewLockstepPair()
				client, server := Client(a, cc, nil), Server(b, sc, nil)
				refuses, hears := client, server
				if c.serverRefuses {
					refuses, hears = server, client
				}
				heard := make(chan error, 1)
				go func() {
					err := hears.Handshake(t.Context())
					if err == nil {
						err = receiveError(t.Context(), hears)
					}
					heard <- err
				}()
				err := refuses.Handshake(t.Context())
				wantIs(t, "refusal", err, trigo.ErrBroken)
				wantText(t, err, c.says, "handshake tls", " over staple(lockstep, lockstep): ")
				refuses.Abort()
				if err := <-heard; c.hears != "" {
					wantText(t, err, c.hears, "tls", " over staple(lockstep, lockstep): ")
				}
				hears.Abort()
			})
		})
	}
}

func wantText(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, which does not say %q", err, part)
		}
	}
}

func TestPlainHTTPSentToATLSPort(t *testing.T) {
	c, s := rawPair(t)
	server := Server(fromConn(t, s), serverConfig(), nil)
	defer server.Abort()
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	err := server.Handshake(t.Context())
	wantIs(t, "handshake", err, trigo.ErrBroken)
	wantText(t, err, "handshake tls over tcp "+c.LocalAddr().String()+": ", "the peer speaks plain HTTP")
	if _, ok := errors.AsType[tls.RecordHeaderError](err); !ok {
		t.Error("the cause is gone")
	}
}

func TestBadServerName(t *testing.T) {
	config := clientConfig13()
	config.ServerName = "xn--\u00e4"
	a, b := trigotest.NewMemoryPair()
	client := Client(a, config, nil)
	err := client.Handshake(t.Context())
	wantText(t, err, "is not a valid name")
	mustClose(t, client)
	trigo.Abort(b)
}

// A peer that never takes the alert is not waited for forever.
func TestAlertIsNotWaitedForForever(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := trigotest.NewLockstepPair()
		server := Server(b, serverConfig(), nil)
		go a.SendAll(t.Context(), []byte("neither TLS nor a peer that receives")) // what is wrong with it is seen at once
		began := time.Now()
		err := server.Handshake(t.Context())
		wantIs(t, "handshake", err, trigo.ErrBroken)
		if took := time.Since(began); took > alertGrace {
			t.Errorf("took %v", took)
		}
		server.Abort()
		trigo.Abort(a)
		synctest.Wait()
	})
}

// Sessions are resumed over a transport without any buffer, where neither end
// can get rid of a ticket that the other does not receive.
func TestSessionTicketsOverLockstep(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		resumes(t, config, serverConfig(), 1, 3)
	})
}

// A server that has asked for a certificate sends its ticket behind the handshake.
// That waits for the first data, because the client may not receive before it has
// sent all it has.
func TestTicketToAClientThatOnlySends(t *testing.T) {
	config := clientConfig13()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	config.Certificates = []tls.Certificate{identity().leaf}
	sconfig := serverConfig()
	sconfig.ClientAuth = tls.RequireAnyClientCert
	resumes(t, config, sconfig, 64<<10, 2)
}

// resumes makes connections over lockstep transports, one after the other, of which
// all but the first are to resume a session. In each the client sends size bytes, and
// then takes an answer.
func resumes(t *testing.T, config, sconfig *tls.Config, size, connections int) {
	bubble(t, func(t *testing.T) {
		for round := range connections {
			a, b := trigotest.NewLockstepPair()
			client, server := Client(a, config, nil), Server(b, sconfig, nil)
			err, err2 := both(func() error {
				if err := client.SendAll(t.Context(), make([]byte, size)); err != nil {
					return err
				}
				return receiveFull(t.Context(), client, make([]byte, 1))
			}, func() error {
				if err := receiveFull(t.Context(), server, make([]byte, size)); err != nil {
					return err
				}
				return server.SendAll(t.Context(), []byte("y"))
			})
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			if state, _ := client.ConnectionState(); state.DidResume != (round > 0) {
				t.Errorf("round %d: resumed is %v", round, state.DidResume)
			}
			client.Abort()
			server.Abort()
		}
	})
}
