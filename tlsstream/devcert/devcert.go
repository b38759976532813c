// Package devcert makes certificates for development and tests: a certificate
// authority that lives in memory and is thrown away with the program, and
// leaves that it signs. It never touches a file or the trust store of the
// system; whoever is to trust it is given [Authority.Pool], or the [Pin] of a
// leaf.
package devcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

// An Authority signs leaves. It is safe for concurrent use.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority returns a new authority that is valid for a year.
func NewAuthority() (*Authority, error) {
	key, serial, err := newKey()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: fmt.Sprintf("throw-away CA %x", serial.Bytes()[:4])},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Authority{cert, key}, nil
}

// Certificate returns the authority's own certificate.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// Pool returns a new pool with the authority in it, for the RootCAs or the
// ClientCAs of a tls.Config.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// PEM returns the authority's own certificate as other programs want it.
func (a *Authority) PEM() []byte { return certificatePEM(a.cert.Raw) }

// LeafOptions are the choices of [Authority.Leaf]. The zero value is good, and
// is what nil means.
type LeafOptions struct {
	NotBefore time.Time // if zero, an hour ago
	NotAfter  time.Time // if zero, in 30 days
}

// Leaf returns a certificate and its key for hosts, each a name in its ASCII
// form or an IP address, for use by a server or a client.
func (a *Authority) Leaf(opts *LeafOptions, hosts ...string) (tls.Certificate, error) {
	if len(hosts) == 0 {
		return tls.Certificate{}, errors.New("devcert: a leaf needs a host")
	}
	var o LeafOptions
	if opts != nil {
		o = *opts
	}
	now := time.Now()
	if o.NotBefore.IsZero() {
		o.NotBefore = now.Add(-time.Hour)
	}
	if o.NotAfter.IsZero() {
		o.NotAfter = now.AddDate(0, 0, 30)
	}
	key, serial, err := newKey()
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: hosts[0]},
		NotBefore:    o.NotBefore,
		NotAfter:     o.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// PEM returns the certificates of c and its key as other programs want them.
func PEM(c tls.Certificate) (certs, key []byte, err error) {
	for _, der := range c.Certificate {
		certs = append(certs, certificatePEM(der)...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return nil, nil, err
	}
	return certs, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Pin returns what names the key of a certificate and is short enough to be
// passed on by hand: "sha256//" and a hash in base64, as curl's --pinnedpubkey
// takes it.
func Pin(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return "sha256//" + base64.StdEncoding.EncodeToString(sum[:])
}

// ErrPin is the error of a handshake with a peer that has another key than the
// pinned one.
var ErrPin = errors.New("the certificate of the peer has another key than the pinned one")

// VerifyPin returns a VerifyConnection for a tls.Config which accepts a peer by
// its [Pin] alone. The names and authorities of the certificate then do not
// matter, so InsecureSkipVerify must be set beside it.
func VerifyPin(pin string) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return fmt.Errorf("%w: it has none", ErrPin)
		}
		if got := Pin(state.PeerCertificates[0]); got != pin {
			return fmt.Errorf("%w: %s", ErrPin, got)
		}
		return nil
	}
}

func newKey() (*ecdsa.PrivateKey, *big.Int, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, nil, err
	}
	id[0] = id[0]&0x7f | 0x40 // positive, and never short
	return key, new(big.Int).SetBytes(id), nil
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
