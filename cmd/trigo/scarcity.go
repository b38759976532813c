package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// scarcity tells that connections cannot be accepted for lack of descriptors or
// memory, and not more often than every 10 seconds.
type scarcity struct {
	slog.Handler
	out *console

	mu   sync.Mutex
	told time.Time
}

func (s *scarcity) Enabled(context.Context, slog.Level) bool { return true }

func (s *scarcity) Handle(_ context.Context, r slog.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.told.IsZero() && r.Time.Sub(s.told) < 10*time.Second {
		return nil
	}
	s.told = r.Time
	f := &failure{code: exitFailure, err: errors.New(r.Message)}
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			f.err = fmt.Errorf("%s: %w", r.Message, err)
		}
		return true
	})
	s.out.fail("", f)
	return nil
}
