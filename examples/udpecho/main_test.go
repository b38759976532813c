package main

import (
	"context"
	"fmt"
	"testing"

	"trigo/examples/internal/program"
	"trigo/netstream"
)

func TestMain(m *testing.M) { program.Main(m, main) }

func TestUDPEcho(t *testing.T) {
	program.Run(t, func(ctx context.Context, p *program.Program) {
		u, err := netstream.DialUDP(ctx, p.Log("listening on "))
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close(ctx)
		for _, size := range []int{0, 1, 60000} {
			if err := u.Send(ctx, make([]byte, size)); err != nil {
				t.Fatal(err)
			}
			answer := make([]byte, 100)
			n, err := u.Receive(ctx, answer)
			if want := fmt.Sprintf("%d bytes from %s", size, u.LocalAddr()); err != nil || string(answer[:n]) != want {
				t.Errorf("got %q, %v; want %q", answer[:n], err, want)
			}
		}
	}, "127.0.0.1:0")
}
