package main

import (
	"context"
	"testing"

	"trigo/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m, main) }

func TestTLSOverACommand(t *testing.T) {
	program.Run(t, func(ctx context.Context, p *program.Program) {
		if got, want := p.Line(ctx), "hello gopher over tls1.3"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		p.EndsWell(ctx)
	})
}
