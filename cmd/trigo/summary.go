package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"

	"trigo"
	"trigo/relay"
)

func nameOf(s trigo.Stream) string { return fmt.Sprint(s) }

// summary is the line that tells of one relay.
func summary(a, b string, r relay.Report) string {
	return fmt.Sprintf("a=%s b=%s sent=%s recv=%s %s end: a=%s b=%s", a, b,
		tight(r.AToB.Bytes), tight(r.BToA.Bytes), brief(r.Duration),
		ending(r.AToB, r.BToA), ending(r.BToA, r.AToB))
}

// reportAttrs is the same for machines.
func reportAttrs(r relay.Report) []slog.Attr {
	side := func(name string, from, to relay.Direction) slog.Attr {
		return slog.Group(name, slog.Int64("bytes", from.Bytes), slog.String("end", ending(from, to)),
			slog.Duration("duration", from.Duration), slog.String("copy", from.Path.String()))
	}
	return []slog.Attr{side("a", r.AToB, r.BToA), side("b", r.BToA, r.AToB), slog.Duration("duration", r.Duration)}
}

// ending says how a side ended: from is the direction that it sent, to the one
// that it was sent.
func ending(from, to relay.Direction) string {
	switch {
	case from.End == relay.Broken:
		return fmt.Sprintf("%s after %s", breakage(from.Err), tight(from.Bytes))
	case to.End == relay.WriteFailed:
		return fmt.Sprintf("%s after it took %s", breakage(to.Err), tight(to.Bytes))
	case from.End == relay.Stopped, from.End == relay.WriteFailed:
		return "aborted"
	}
	return from.End.String()
}

// breakage names the usual ways in which a stream breaks.
func breakage(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.Is(err, syscall.EPIPE):
		return "broken pipe"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return "timeout"
	}
	return "broken"
}
