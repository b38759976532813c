package main

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"trigo"
	"trigo/examples/internal/program"
	"trigo/netstream"
)

func TestMain(m *testing.M) { program.Main(m, main) }

func TestEchoDrains(t *testing.T) {
	program.Run(t, func(ctx context.Context, p *program.Program) {
		address := p.Log("listening on ")
		s, err := netstream.DialTCP(ctx, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(ctx)
		r := trigo.NewBufferedReceiver(s)
		if err := s.SendAll(ctx, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if got, err := r.ReceiveExactly(ctx, 5); string(got) != "hello" {
			t.Fatalf("%q, %v", got, err)
		}

		if err := p.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		for { // until nobody listens any more
			late, err := netstream.DialTCP(ctx, address, nil)
			if errors.Is(err, syscall.ECONNREFUSED) {
				break
			}
			if err == nil {
				late.Close(ctx)
			} else if !errors.Is(err, syscall.ECONNRESET) {
				t.Fatal(err)
			}
		}
		if got := program.Ask(ctx, t, trigo.Staple(s, r), "still here"); got != "still here" {
			t.Errorf("the old client got %q", got)
		}
		p.Log("everyone is served")
		p.EndsWell(ctx)
	}, "127.0.0.1:0")
}
