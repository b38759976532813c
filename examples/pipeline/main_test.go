package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"trigo/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m, main) }

func TestPipelineIsCutAfterASecond(t *testing.T) {
	program.Run(t, func(ctx context.Context, p *program.Program) {
		var lines int
		if _, err := fmt.Sscanf(p.Line(ctx), "lines: %d", &lines); err != nil || lines == 0 {
			t.Errorf("%d lines, %v", lines, err)
		}
		p.EndsWell(ctx)
	})
}

func TestPipelineToItsEnd(t *testing.T) {
	lines, err := pipelineOf(t.Context(), "seq 1000", "grep 7")
	if err != nil || lines != 271 {
		t.Errorf("%d lines, %v; want 271", lines, err)
	}
}

func TestPipelineIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pipelineOf(ctx, "yes", "cat"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func pipelineOf(ctx context.Context, from, to string) (int, error) {
	return pipeline(ctx, []string{"sh", "-c", "exec " + from}, []string{"sh", "-c", "exec " + to})
}
