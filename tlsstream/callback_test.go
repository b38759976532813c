package tlsstream

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"testing"

	"trigo/trigotest"
)

// echConfigs is what a client knows of a server that takes encrypted hellos (RFC
// 9849, section 4): a list of one configuration.
func echConfigs(t *testing.T) []byte {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	vector := func(p []byte) []byte {
		return append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...)
	}
	contents := []byte{1, 0, 0x20} // its number, and DHKEM(X25519)
	contents = append(contents, vector(key.PublicKey().Bytes())...)
	contents = append(contents, vector([]byte{0, 1, 0, 1})...) // HKDF-SHA256, AES-128-GCM
	contents = append(contents, 0, byte(len(testName)))
	contents = append(contents, testName...)
	contents = append(contents, vector(nil)...)
	return vector(append([]byte{0xfe, 0x0d}, vector(contents)...))
}

// A callback that has a ctx sees the values of that of the call, and Abort ends it.
func TestCallbacksHaveTheContextOfTheCall(t *testing.T) {
	type key struct{}
	for name, set := range map[string]func(c *tls.Config, callback func(ctx context.Context) error){
		"GetConfigForClient": func(c *tls.Config, callback func(ctx context.Context) error) {
			c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				return nil, callback(hello.Context())
			}
		},
		"GetCertificate": func(c *tls.Config, callback func(ctx context.Context) error) {
			c.Certificates = nil
			c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				return nil, callback(hello.Context())
			}
		},
		"GetEncryptedClientHelloKeys": func(c *tls.Config, callback func(ctx context.Context) error) {
			c.GetEncryptedClientHelloKeys = func(hello *tls.ClientHelloInfo) ([]tls.EncryptedClientHelloKey, error) {
				return nil, callback(hello.Context())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				config, sconfig := clientConfig13(), serverConfig()
				config.EncryptedClientHelloConfigList = echConfigs(t)
				a, b := trigotest.NewMemoryPair()
				called := make(chan any)
				set(sconfig, func(ctx context.Context) error {
					called <- ctx.Value(key{})
					<-ctx.Done()
					return ctx.Err()
				})
				client, server := Client(a, config, nil), Server(b, sconfig, nil)
				go client.Handshake(t.Context())
				done := make(chan error)
				go func() { done <- server.Handshake(context.WithValue(t.Context(), key{}, "value")) }()
				if got := <-called; got != "value" {
					t.Errorf("the callback sees %v", got)
				}
				server.Abort()
				<-done
				client.Abort()
			})
		})
	}
}
