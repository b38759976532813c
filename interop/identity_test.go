package interop

import (
	"crypto/tls"
	"sync"

	"trigo/tlsstream/devcert"
)

const serverName = "trigo-test-1.example.org"

type identity struct {
	ca   *devcert.Authority
	leaf tls.Certificate
}

var testIdentity = sync.OnceValue(func() (id identity) {
	var err error
	if id.ca, err = devcert.NewAuthority(); err != nil {
		panic(err)
	}
	if id.leaf, err = id.ca.Leaf(nil, serverName); err != nil {
		panic(err)
	}
	return id
})

func serverConfig(protocols ...string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{testIdentity().leaf}, NextProtos: protocols}
}

func clientConfig(protocols ...string) *tls.Config {
	return &tls.Config{RootCAs: testIdentity().ca.Pool(), ServerName: serverName, NextProtos: protocols}
}
