package endpoint

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
)

// CertificatePin names the key of a certificate as the pin option takes it:
// "sha256:" and the SHA-256 of its public key (SubjectPublicKeyInfo) in hexadecimal.
func CertificatePin(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return formatPin(sum[:])
}

// A pinError is the error of a peer with another key.
type pinError struct{ chain []*x509.Certificate }

func (e *pinError) Error() string {
	if len(e.chain) == 0 {
		return "the peer has shown no certificate to compare with the pin"
	}
	return "the peer has another key than the pinned one"
}

// verifyPin lets a peer in whose key is one of pins.
func verifyPin(state tls.ConnectionState, pins []string) error {
	if len(state.PeerCertificates) == 0 || !slices.Contains(pins, CertificatePin(state.PeerCertificates[0])) {
		return &pinError{state.PeerCertificates}
	}
	return nil
}

// certificate reads the files of cert and key.
func (s *setup) certificate() (tls.Certificate, error) {
	file := s.text("cert")
	chain, err := os.ReadFile(file)
	if err != nil {
		return tls.Certificate{}, s.failure("cert", "", err)
	}
	key, keyName := chain, "cert"
	if s.set("key") {
		keyName = "key"
		if key, err = os.ReadFile(s.text("key")); err != nil {
			return tls.Certificate{}, s.failure("key", "", err)
		}
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		hint := ""
		if !s.set("key") {
			hint = "the key may be in another file: key=FILE"
		}
		return cert, s.failure(keyName, hint, fmt.Errorf("%s: %w", s.text(keyName), err))
	}
	if cert.Leaf == nil {
		cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0])
	}
	return cert, err
}

// authorities reads the file of ca.
func (s *setup) authorities() (*x509.CertPool, error) {
	file := s.text("ca")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, s.failure("ca", "", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, s.failure("ca", "it must be in PEM form", errors.New("there is no certificate in "+file))
	}
	return pool, nil
}

// keyLog appends to a file. It is opened for each line, so that there is nothing to
// close and the file can be moved away.
type keyLog struct{ path string }

func (l *keyLog) Write(line []byte) (int, error) {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := f.Write(line)
	return n, errors.Join(err, f.Close())
}
