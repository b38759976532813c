package netconn

import (
	"context"
	"io"

	"trigo"
)

// Reader returns s as an [io.Reader], every Read of which is a ReceiveSome with
// ctx. Its errors are those of s.
//
// It is for the duration of a call: ctx is that of whoever hands s to a
// function that knows only package io.
func Reader(ctx context.Context, s trigo.ReceiveStream) io.Reader {
	return reader(func(p []byte) (int, error) {
		if len(p) == 0 {
			return 0, nil
		}
		return s.ReceiveSome(ctx, p)
	})
}

// Writer returns s as an [io.Writer], every Write of which is a SendAll with
// ctx. Its errors are those of s. See [Reader].
func Writer(ctx context.Context, s trigo.SendStream) io.Writer {
	return writer(func(p []byte) (int, error) {
		if err := s.SendAll(ctx, p); err != nil {
			return sent(err), err
		}
		return len(p), nil
	})
}

// ReadWriter returns s as an [io.ReadWriter]: its [Reader] and its [Writer], where
// it is told what the calls wait for and how they fail.
func ReadWriter(ctx context.Context, s trigo.Stream) io.ReadWriter {
	return struct {
		io.Reader
		io.Writer
	}{Reader(ctx, s), Writer(ctx, s)}
}

type (
	reader func(p []byte) (int, error)
	writer func(p []byte) (int, error)
)

func (r reader) Read(p []byte) (int, error)  { return r(p) }
func (w writer) Write(p []byte) (int, error) { return w(p) }
