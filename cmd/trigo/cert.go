package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"trigo/endpoint"
	"trigo/tlsstream/devcert"
)

// runCert makes an authority, a certificate for the hosts and one for a client,
// in a directory of their own. No trust store is touched, and no file replaced.
func runCert(o *options, out *console) error {
	if err := o.takes(2, 1000, "cert DIR HOST..."); err != nil {
		return err
	}
	dir, hosts := o.args[0], o.args[1:]
	names := []string{"ca.pem", "cert.pem", "key.pem", "client.pem", "client-key.pem"}
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return usage("name another directory", "%s is there already", filepath.Join(dir, name))
		}
	}
	valid := time.Duration(o.days) * 24 * time.Hour
	ca, err := devcert.NewAuthority()
	if err != nil {
		return err
	}
	server, err := ca.Leaf(&devcert.LeafOptions{NotAfter: time.Now().Add(valid)}, hosts...)
	if err != nil {
		return usage("a host is a name or an IP address", "%w", err)
	}
	client, err := ca.Leaf(&devcert.LeafOptions{NotAfter: time.Now().Add(valid)}, "client")
	if err != nil {
		return err
	}
	serverCerts, serverKey, err := devcert.PEM(server)
	if err != nil {
		return err
	}
	clientCerts, clientKey, err := devcert.PEM(client)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for i, content := range [][]byte{ca.PEM(), serverCerts, serverKey, clientCerts, clientKey} {
		mode := os.FileMode(0o644)
		if i == 2 || i == 4 { // keys
			mode = 0o600
		}
		f, err := os.OpenFile(filepath.Join(dir, names[i]), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		_, err = f.Write(content)
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return err
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	_, err = fmt.Printf(`%s  the authority, for ca=%[1]s
%s  %s for %v, pin=%s
%s  for a client, pin=%s
valid for %d days; no trust store was touched
`, at("ca.pem"), at("cert.pem"), at("key.pem"), hosts, endpoint.CertificatePin(server.Leaf),
		at("client.pem"), endpoint.CertificatePin(client.Leaf), o.days)
	return err
}
