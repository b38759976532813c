package devcert

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestLeafIsGoodForItsHosts(t *testing.T) {
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Leaf(nil, "a.example", "127.0.0.1", "::1")
	if err != nil {
		t.Fatal(err)
	}
	for host, good := range map[string]bool{"a.example": true, "127.0.0.1": true, "::1": true, "b.example": false} {
		_, err := leaf.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: ca.Pool()})
		if (err == nil) != good {
			t.Errorf("%s: %v", host, err)
		}
	}
	other, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: other.Pool()}); err == nil {
		t.Error("another authority vouches for it")
	}
	if _, err := ca.Leaf(nil); err == nil {
		t.Error("a leaf without a host")
	}
}

func TestLeafLivesAsLongAsItIsTold(t *testing.T) {
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(time.Hour)
	leaf, err := ca.Leaf(&LeafOptions{NotAfter: end}, "a.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), CurrentTime: end.Add(time.Second)}); err == nil {
		t.Error("it is still valid")
	}
}

func TestPEMIsWhatPackageTLSReads(t *testing.T) {
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Leaf(nil, "a.example")
	if err != nil {
		t.Fatal(err)
	}
	certs, key, err := PEM(leaf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tls.X509KeyPair(certs, key); err != nil {
		t.Error(err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(ca.PEM()) {
		t.Error("the authority cannot be read")
	}
}

func TestVerifyPin(t *testing.T) {
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	one, err := ca.Leaf(nil, "a.example")
	if err != nil {
		t.Fatal(err)
	}
	two, err := ca.Leaf(nil, "a.example")
	if err != nil {
		t.Fatal(err)
	}
	pin := Pin(one.Leaf)
	if !strings.HasPrefix(pin, "sha256//") || len(pin) != len("sha256//")+44 {
		t.Errorf("pin %q", pin)
	}
	verify := VerifyPin(pin)
	if err := verify(tls.ConnectionState{PeerCertificates: []*x509.Certificate{one.Leaf, ca.Certificate()}}); err != nil {
		t.Error(err)
	}
	for _, chain := range [][]*x509.Certificate{{two.Leaf}, nil} {
		if err := verify(tls.ConnectionState{PeerCertificates: chain}); !errors.Is(err, ErrPin) {
			t.Errorf("got %v", err)
		}
	}
}
