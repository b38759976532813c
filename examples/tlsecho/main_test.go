package main

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"trigo"
	"trigo/examples/internal/program"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
)

func TestMain(m *testing.M) { program.Main(m, main) }

func TestEchoOverTLS(t *testing.T) {
	program.Run(t, func(ctx context.Context, p *program.Program) {
		pin := p.Log("pin ")
		_, address, _ := strings.Cut(p.Log("listening on "), "tcp ")
		dial := func(pin string) *tlsstream.Stream {
			config := &tls.Config{InsecureSkipVerify: true, VerifyConnection: devcert.VerifyPin(pin)}
			s, err := tlsstream.DialTCP(ctx, address, config, nil)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := dial(pin)
		if got := program.Ask(ctx, t, s, "secret"); got != "secret" {
			t.Errorf("got %q", got)
		}
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}

		stranger := dial("sha256//" + strings.Repeat("A", 43) + "=")
		defer trigo.CloseForcefully(stranger)
		if err := stranger.Handshake(ctx); !errors.Is(err, devcert.ErrPin) {
			t.Errorf("a server with another key: %v", err)
		}
		p.Log("bad certificate") // the server was told, and goes on
	}, "127.0.0.1:0")
}
