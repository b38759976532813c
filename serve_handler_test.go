package trigo_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/nursery"
)

func TestServeInAConnectionNursery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		var s *serving
		var clients, servers []*fakeStream
		err := nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
			s = serve(t, 1, func(ctx context.Context, conn *fakeStream) error {
				if _, err := conn.ReceiveSome(ctx, make([]byte, 1)); err != nil {
					return err
				}
				return boom
			}, trigo.ServeOptions{HandlerNursery: n})
			for range 10 {
				client, server := s.listeners[0].connect()
				clients, servers = append(clients, client), append(servers, server)
			}
			synctest.Wait()
			s.cancel() // the handlers outlive the server
			wantIs(t, "serve", over(t, "serve", s.done), context.Canceled)
			s.wantListenersClosed(t)
			for _, c := range servers {
				if isClosed(c.closed) {
					t.Error("a handler ended with the server")
				}
			}
			return clients[3].SendAll(ctx, []byte("x"))
		})
		if err != boom { // of that nursery, without the noise of the nine others
			t.Errorf("nursery returned %v, want %v", err, boom)
		}
		wantClosedForcefully(t, servers...)
	})
}

func TestServeIntoAnEndedNurseryPanicsAndClosesTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended *nursery.Nursery
		_ = nursery.Run(t.Context(), func(_ context.Context, n *nursery.Nursery) error { ended = n; return nil })
		l := newFakeListener()
		_, server := l.connect()
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
			wantClosedForcefully(t, server)
			if !isClosed(l.closed) {
				t.Error("the listener is open")
			}
		}()
		_ = trigo.ServeListeners(t.Context(), waitForCancel, []*fakeListener{l}, &trigo.ServeOptions{HandlerNursery: ended})
	})
}

func TestServeHandlerErrorEndsTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		s := serve(t, 2, func(ctx context.Context, conn *fakeStream) error {
			if err := waitForEOF(ctx, conn); err != nil {
				return err
			}
			return boom
		}, trigo.ServeOptions{})
		_, other := s.listeners[0].connect()
		client, server := s.listeners[1].connect()
		synctest.Wait()
		client.end()
		if err := over(t, "serve", s.done); err != boom { // without the noise of the other
			t.Errorf("got %v, want %v", err, boom)
		}
		wantClosedForcefully(t, server, other)
		s.wantListenersClosed(t)
	})
}

func TestServeHandlerErrorHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mild, fatal := errors.New("mild"), errors.New("fatal")
		var heard []error
		s := serve(t, 1, func(ctx context.Context, conn *fakeStream) error {
			p := make([]byte, 9)
			n, err := conn.ReceiveSome(ctx, p)
			switch {
			case err != nil:
				return err
			case string(p[:n]) == "mild":
				return mild
			}
			return fatal
		}, trigo.ServeOptions{HandlerError: func(err error) error {
			heard = append(heard, err)
			if err == mild {
				return nil
			}
			return fmt.Errorf("hook: %w", err)
		}})
		send := func(text string) {
			client, _ := s.listeners[0].connect()
			wantNil(t, "send", client.SendAll(t.Context(), []byte(text)))
			synctest.Wait()
		}
		s.listeners[0].connect() // will only be cancelled: the hook does not hear of it
		send("mild")
		send("mild")
		pending(t, "serve", s.done)
		send("fatal")
		err := over(t, "serve", s.done)
		wantIs(t, "serve", err, fatal)
		if err.Error() != "hook: fatal" {
			t.Errorf("got %q", err)
		}
		if fmt.Sprint(heard) != "[mild mild fatal]" {
			t.Errorf("the hook heard %v", heard)
		}
	})
}

func TestServeHandlerPanicIsRaisedWhenAllIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeListener()
		client, server := l.connect()
		_, other := l.connect()
		client.end()
		defer func() {
			p, ok := recover().(*nursery.PanicError)
			if !ok || p.Value != "boom" {
				t.Errorf("recovered %v", p)
			}
			wantClosedForcefully(t, server, other)
			if !isClosed(l.closed) {
				t.Error("the listener is open")
			}
		}()
		_ = trigo.ServeListeners(t.Context(), func(ctx context.Context, conn *fakeStream) error {
			if err := waitForEOF(ctx, conn); err != nil {
				return err
			}
			panic("boom")
		}, []*fakeListener{l}, nil)
	})
}

func TestServeHandlerGoexitClosesEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeListener()
		_, server := l.connect()
		exited := true
		done := async(func() error { // in a goroutine that may exit
			defer func() {
				wantClosedForcefully(t, server)
				if !isClosed(l.closed) || !exited {
					t.Errorf("listener closed: %v, exited: %v", isClosed(l.closed), exited)
				}
			}()
			_ = trigo.ServeListeners(t.Context(), func(context.Context, *fakeStream) error {
				runtime.Goexit()
				return nil
			}, []*fakeListener{l}, nil)
			exited = false
			return nil
		})
		pending(t, "the exited goroutine", done)
		wantClosedForcefully(t, server)
	})
}
