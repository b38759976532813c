package tlsstream

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/trigotest"
)

func TestUnwrap(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, server := pair(t, memoryTransport, config, nil)
		ct, st := client.Transport(), server.Transport()
		err, err2 := both(func() error {
			sendString(t, client, "x")
			if err := receiveError(t.Context(), client); err != io.EOF {
				return err
			}
			got, trailing, err := client.Unwrap(t.Context())
			if got != ct || len(trailing) != 0 {
				t.Errorf("client: %v, %q", got, trailing)
			}
			return errors.Join(err, got.SendAll(t.Context(), []byte("trailing")))
		}, func() error {
			receiveString(t, server, "x")
			// The close_notify is sent, and waits for the peer's; cancelled, it
			// can be called again.
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if got, trailing, err := server.Unwrap(ctx); err == nil {
				t.Log("the client was quick")
				if got != st || string(trailing) != "" && string(trailing) != "trailing" {
					t.Errorf("server: %v, %q", got, trailing)
				}
				return receiveRest(t, got, string(trailing))
			}
			got, trailing, err := server.Unwrap(t.Context())
			if err != nil || got != st {
				return errors.Join(err, errors.New("server: another transport"))
			}
			return receiveRest(t, got, string(trailing))
		})
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		for _, s := range []*Stream{client, server} {
			if s.Transport() != nil || s.Underlying() != nil {
				t.Error("the transport is still there")
			}
			wantIs(t, "send", s.SendAll(t.Context(), nil), trigo.ErrClosed)
			wantIs(t, "receive", receiveError(t.Context(), s), trigo.ErrClosed)
			mustClose(t, s)
			s.Abort()
		}
		sendString(t, ct, "still open")
		receiveString(t, st, "still open")
	})
}

// receiveRest wants "trailing", of which got has come already.
func receiveRest(t *testing.T, s trigo.ReceiveStream, got string) error {
	t.Helper()
	receiveString(t, s, "trailing"[len(got):])
	return nil
}

// What follows the end of TLS in the same packet is handed over.
func TestUnwrapReturnsTrailingBytes(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, server := pair(t, memoryTransport, config, nil)
		st := server.Transport()
		a := client.Transport().(*trigo.StapledStream)
		send := a.Send.(*trigotest.MemorySendStream)
		pump := send.SendAllHook
		send.SendAllHook = nil // the close_notify waits for more
		if err := server.SendEOF(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := client.SendEOF(t.Context()); err != nil {
			t.Fatal(err)
		}
		send.SendAllHook = pump
		sendString(t, a, "trailing")
		got, trailing, err := server.Unwrap(t.Context())
		if err != nil || got != st || string(trailing) != "trailing" {
			t.Errorf("%v, %q, %v", got, trailing, err)
		}
	})
}

func TestUnwrapKeepsUnreadData(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, server := pair(t, memoryTransport, config, nil)
		sendString(t, client, "data")
		if err := client.SendEOF(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_, _, err := server.Unwrap(t.Context())
			wantIs(t, "unwrap", err, ErrUnread)
		}
		receiveString(t, server, "data")
		if _, _, err := server.Unwrap(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestClosingNiceCase(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, server := pair(t, memoryTransport, config, nil)
		errc, errs := both(func() error { return client.Close(t.Context()) }, func() error {
			for range 2 {
				if err := receiveError(t.Context(), server); err != io.EOF {
					return err
				}
			}
			return server.Close(t.Context())
		})
		if errc != nil || errs != nil {
			t.Error(errc, errs)
		}
		mustClose(t, client)
		_, _, unwrapped := client.Unwrap(t.Context())
		for what, err := range map[string]error{
			"send":      client.SendAll(t.Context(), []byte("x")),
			"receive":   receiveError(t.Context(), client),
			"handshake": client.Handshake(t.Context()),
			"unwrap":    unwrapped,
			"transport": client.Transport().SendAll(t.Context(), []byte("x")),
		} {
			wantIs(t, what, err, trigo.ErrClosed)
		}
	})
}

func TestCloseBeforeTheHandshakeGivesACleanEnd(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, server := unshaken(t, memoryTransport, config, nil)
		errc, errs := both(func() error { return client.Close(t.Context()) },
			func() error { return receiveError(t.Context(), server) })
		if errc != nil || errs != io.EOF {
			t.Error(errc, errs)
		}
	})
}

func TestHandshakeFailureDuringCloseIsTold(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		config.RootCAs = nil
		client, server := unshaken(t, memoryTransport, config, nil)
		errc, errs := both(func() error { return client.Close(t.Context()) },
			func() error { return receiveError(t.Context(), server) })
		wantIs(t, "close", errc, trigo.ErrBroken)
		wantIs(t, "the transport", client.Transport().SendAll(t.Context(), nil), trigo.ErrClosed)
		if config.MaxVersion == tls.VersionTLS12 || errs != io.EOF {
			wantIs(t, "the peer", errs, trigo.ErrBroken)
		}
	})
}

func TestBadShutdown(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, server := pair(t, memoryTransport, config, nil)
		trigo.CloseForcefully(client)
		wantIs(t, "receive", receiveError(t.Context(), server), trigo.ErrTruncated, io.ErrUnexpectedEOF)
		wantIs(t, "receive", receiveError(t.Context(), server), trigo.ErrTruncated)
		wantIs(t, "send", server.SendAll(t.Context(), []byte("x")), trigo.ErrBroken)
		mustClose(t, server)
	})
}

func TestBadShutdownIsFineForHTTPS(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, server := pair(t, memoryTransport, config, &Options{HTTPSCompatible: true})
		mustClose(t, client)
		for range 2 {
			if err := receiveError(t.Context(), server); err != io.EOF {
				t.Error(err)
			}
		}
		wantIs(t, "send", server.SendAll(t.Context(), []byte("x")), trigo.ErrBroken)
		mustClose(t, server)
	})
}

func TestHTTPSCompatibilityDisagreement(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, server := pair(t, memoryTransport, config, nil)
		client.https = true
		mustClose(t, client)
		wantIs(t, "receive", receiveError(t.Context(), server), trigo.ErrTruncated)
	})
}

func TestHTTPSEndBeforeTheHandshake(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, server := unshaken(t, memoryTransport, config, &Options{HTTPSCompatible: true})
		mustClose(t, client)
		for range 2 {
			if err := receiveError(t.Context(), server); err != io.EOF {
				t.Error(err)
			}
		}
		wantIs(t, "send", server.SendAll(t.Context(), []byte("x")), trigo.ErrTruncated)
	})
}

// A cancelled SendAll, SendEOF and Handshake are continued by the next call.
func TestCancelledCallsAreContinued(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		bubble(t, func(t *testing.T) {
			client, server := unshaken(t, lockstepTransport, config, nil)
			done := make(chan string, 1)
			stalled := make(chan struct{})
			go func() {
				<-stalled
				got, err := receiveAll(t.Context(), server)
				if err != nil {
					t.Error(err)
				}
				done <- got
			}()
			attempt := func(f func(ctx context.Context) error) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				wantIs(t, "cancelled", f(ctx), context.DeadlineExceeded)
			}
			for range 3 {
				attempt(client.Handshake)
				attempt(func(ctx context.Context) error { return receiveError(ctx, client) })
				attempt(func(ctx context.Context) error { return client.SendAll(ctx, []byte("never")) })
			}
			close(stalled)
			if err := client.Handshake(t.Context()); err != nil {
				t.Fatal(err)
			}
			sendString(t, client, "hello")
			mustClose(t, client)
			if got := <-done; got != "hello" {
				t.Errorf("received %q", got)
			}
		})
	})
}

// Callers that wait for the handshake of another all get its error.
func TestFailureReleasesAllWhoWait(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		bubble(t, func(t *testing.T) {
			client, server := unshaken(t, memoryTransport, config, nil)
			errs := make(chan error, 4)
			for _, f := range []func() error{
				func() error { return client.Handshake(t.Context()) },
				func() error { return client.Handshake(t.Context()) },
				func() error { return client.SendAll(t.Context(), []byte("x")) },
				func() error { return receiveError(t.Context(), client) },
			} {
				go func() { errs <- f() }()
			}
			synctest.Wait()
			trigo.Abort(server.Transport())
			for range 4 {
				wantIs(t, "waiting for the handshake", <-errs, trigo.ErrBroken)
			}
		})
	})
}

// If the caller that moves the bytes is cancelled, one that waits takes over.
func TestHandshakeIsTakenOver(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		bubble(t, func(t *testing.T) {
			client, server := unshaken(t, lockstepTransport, config, nil)
			ctx, cancel := context.WithCancel(t.Context())
			first, second := make(chan error, 1), make(chan error, 1)
			go func() { first <- client.Handshake(ctx) }()
			synctest.Wait()
			go func() { second <- client.Handshake(t.Context()) }()
			synctest.Wait()
			cancel()
			wantIs(t, "first", <-first, context.Canceled)
			if err := server.Handshake(t.Context()); err != nil {
				t.Error(err)
			}
			if err := <-second; err != nil {
				t.Error(err)
			}
		})
	})
}

func TestCloseDoesNotWaitBehindABlockedSend(t *testing.T) {
	eachKind(t, func(t *testing.T, config *tls.Config, opts *Options) {
		bubble(t, func(t *testing.T) {
			client, server := pair(t, lockstepTransport, config, opts)
			sent := make(chan error, 1)
			go func() { sent <- client.SendAll(t.Context(), make([]byte, 1<<20)) }()
			synctest.Wait()
			began := time.Now()
			mustClose(t, client)
			if took := time.Since(began); took != 0 {
				t.Errorf("close took %v", took)
			}
			wantIs(t, "send", <-sent, trigo.ErrClosed)
			if _, err := receiveAll(t.Context(), server); err == nil && opts == nil {
				t.Error("the peer saw a clean end of half a message")
			}
		})
	})
}

func TestAbortEndsAParkedHandshake(t *testing.T) {
	bubble(t, func(t *testing.T) { // which would not end with a goroutine left
		client, _ := unshaken(t, lockstepTransport, clientConfig13(), nil)
		done := make(chan error, 1)
		go func() { done <- client.Handshake(t.Context()) }()
		synctest.Wait()
		client.Abort()
		wantIs(t, "handshake", <-done, trigo.ErrClosed)
	})
}

// A transport that does not count what a cancelled call has sent cannot be sent
// to any more: nobody knows where to go on.
func TestUncountedCancelBreaksTheStream(t *testing.T) {
	client, _ := pair(t, memoryTransport, clientConfig13(), nil)
	send := client.Transport().(*trigo.StapledStream).Send.(*trigotest.MemorySendStream)
	client.gate.transport = bareErrors{client.gate.transport}
	send.SendAllHook = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	wantIs(t, "send", client.SendAll(ctx, []byte("x")), trigo.ErrBroken)
	wantIs(t, "again", client.SendAll(t.Context(), []byte("x")), trigo.ErrBroken, errUncounted)
}

// bareErrors is a stream that breaks the contract: its errors are bare.
type bareErrors struct{ trigo.Stream }

func (b bareErrors) SendAll(ctx context.Context, p []byte) error {
	err := b.Stream.SendAll(ctx, p)
	if op, ok := errors.AsType[*trigo.OpError](err); ok {
		return op.Err
	}
	return err
}

// Abort at the very moment when Unwrap ends comes before it or behind it: the transport
// that is given back has not been aborted.
func TestAbortComesBeforeOrBehindUnwrap(t *testing.T) {
	for range 100 {
		client, server := pair(t, memoryTransport, clientConfig13(), nil)
		wantIs(t, "send EOF", server.SendEOF(t.Context()), nil)
		aborted := make(chan struct{})
		go func() {
			defer close(aborted)
			for !client.closing.Load() { // all of it is a few instructions
			}
			client.Abort()
		}()
		transport, _, err := client.Unwrap(t.Context())
		if err != nil {
			wantIs(t, "unwrap", err, trigo.ErrClosed)
			continue
		}
		<-aborted
		wantIs(t, "send", transport.SendAll(t.Context(), []byte("x")), nil)
		trigo.Abort(transport)
	}
}
