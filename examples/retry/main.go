// Command retry fetches a document and does not give up at the first failure. Its
// test shows what the test kit is for: it runs on a network that exists in
// memory only, on which things go wrong as planned, in no time at all.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/signals"
)

func main() {
	err := signals.Shutdown(context.Background(), func(ctx context.Context) error {
		document, err := fetch(ctx, os.Args[1], dial)
		os.Stdout.Write(document)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
}

const (
	attempts = 5
	patience = 10 * time.Second // for one attempt
	pause    = time.Second      // after the first; twice as much after the next
)

func dial(ctx context.Context, address string) (trigo.Stream, error) {
	s, err := netstream.DialTCP(ctx, address, nil)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// fetch returns the whole document, or an error that has them all.
func fetch(ctx context.Context, address string, dial func(context.Context, string) (trigo.Stream, error)) (document []byte, err error) {
	var failures []error
	for i := range attempts {
		err := nursery.FailAfter(ctx, patience, func(ctx context.Context) (err error) {
			document, err = fetchOnce(ctx, address, dial)
			return err
		})
		if err == nil || ctx.Err() != nil {
			return document, err
		}
		failures = append(failures, fmt.Errorf("attempt %d: %w", i+1, err))
		nursery.MoveOnAfter(ctx, pause<<i, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	}
	return nil, errors.Join(failures...)
}

// fetchOnce takes nothing for whole but what has a proven end.
func fetchOnce(ctx context.Context, address string, dial func(context.Context, string) (trigo.Stream, error)) ([]byte, error) {
	s, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer trigo.CloseForcefully(s)
	var document []byte
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err != nil {
			return nil, err
		}
		document = append(document, chunk...)
	}
	return document, nil
}
