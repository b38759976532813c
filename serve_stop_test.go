package trigo_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/nursery"
)

func TestServeStopDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_ = nursery.Run(t.Context(), func(_ context.Context, theirs *nursery.Nursery) error {
			for _, home := range []*nursery.Nursery{nil, theirs} {
				stop := make(chan struct{})
				s := serve(t, 2, waitForEOF, trigo.ServeOptions{Stop: stop, HandlerNursery: home})
				c1, s1 := s.listeners[0].connect()
				c2, s2 := s.listeners[1].connect()
				synctest.Wait()

				close(stop)
				pending(t, "with two handlers", s.done)
				s.wantListenersClosed(t)
				late, _ := s.listeners[0].connect()
				wantNil(t, "a client goes on", c1.SendAll(t.Context(), []byte("more")))
				c1.end()
				pending(t, "with one handler", s.done)
				wantClosedForcefully(t, s1)
				c2.end()
				wantNil(t, "serve", over(t, "serve", s.done))
				wantClosedForcefully(t, s2)
				if isClosed(late.peer.closed) {
					t.Error("accepted after Stop")
				}
			}
			return nil
		})
	})
}

func TestServeStopWithoutConnectionsReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		close(stop) // even before the call
		s := serve(t, 1, waitForEOF, trigo.ServeOptions{Stop: stop})
		wantNil(t, "serve", over(t, "serve", s.done))
		s.wantListenersClosed(t)
	})
}

func TestServeDrainIsCutByCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		s := serve(t, 1, waitForEOF, trigo.ServeOptions{Stop: stop})
		_, server := s.listeners[0].connect()
		synctest.Wait()
		close(stop)
		pending(t, "drain", s.done)
		s.cancel()
		wantIs(t, "serve", over(t, "serve", s.done), context.Canceled)
		wantClosedForcefully(t, server)
	})
	synctest.Test(t, func(t *testing.T) {
		_ = nursery.Run(t.Context(), func(_ context.Context, theirs *nursery.Nursery) error {
			stop := make(chan struct{})
			s := serve(t, 1, waitForEOF, trigo.ServeOptions{Stop: stop, HandlerNursery: theirs})
			client, server := s.listeners[0].connect()
			synctest.Wait()
			close(stop)
			pending(t, "drain", s.done)
			s.cancel()
			wantIs(t, "serve", over(t, "serve", s.done), context.Canceled)
			if isClosed(server.closed) {
				t.Error("a handler in the caller's nursery was cut")
			}
			client.end()
			return nil
		})
	})
}

func TestServeHandlerErrorDuringDrainEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		stop := make(chan struct{})
		s := serve(t, 1, func(ctx context.Context, conn *fakeStream) error {
			if err := waitForEOF(ctx, conn); err != nil {
				return err
			}
			return boom
		}, trigo.ServeOptions{Stop: stop})
		client, _ := s.listeners[0].connect()
		_, other := s.listeners[0].connect()
		synctest.Wait()
		close(stop)
		client.end()
		if err := over(t, "serve", s.done); err != boom {
			t.Errorf("got %v, want %v", err, boom)
		}
		wantClosedForcefully(t, other)
	})
}

func TestServeMaxConnsLeavesTheRestInTheBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, 1, waitForEOF, trigo.ServeOptions{MaxConns: 2})
		l := s.listeners[0]
		var clients []*fakeStream
		for range 5 {
			c, _ := l.connect()
			clients = append(clients, c)
		}
		for left := 3; left >= 0; left-- {
			synctest.Wait()
			if len(l.backlog) != left {
				t.Fatalf("%d in the backlog, want %d", len(l.backlog), left)
			}
			clients[0].end()
			clients = clients[1:]
		}
	})
}

func TestServeMaxConnsCountsAllListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		s := serve(t, 3, func(ctx context.Context, conn *fakeStream) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			return waitForEOF(ctx, conn)
		}, trigo.ServeOptions{MaxConns: 2})
		var clients []*fakeStream
		for i := range 12 {
			c, _ := s.listeners[i%3].connect()
			clients = append(clients, c)
		}
		synctest.Wait()
		if running.Load() != 2 {
			t.Errorf("%d handlers run, want 2", running.Load())
		}
		for _, c := range clients {
			c.end()
		}
		synctest.Wait()
		for i, c := range clients {
			if !isClosed(c.peer.closed) {
				t.Errorf("client %d was not served", i)
			}
		}
		if most.Load() != 2 {
			t.Errorf("up to %d handlers ran, want 2", most.Load())
		}
	})
}

func TestServeMaxConnsQuietListenerDoesNotStarveBusyOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, 2, waitForEOF, trigo.ServeOptions{MaxConns: 1})
		for i := range 4 { // first only the one, then only the other
			client, server := s.listeners[i/2].connect()
			client.end()
			synctest.Wait()
			wantClosedForcefully(t, server)
		}
	})
}

func TestServeStopWhileAConnectionWaitsForItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		s := serve(t, 2, waitForEOF, trigo.ServeOptions{MaxConns: 1, Stop: stop})
		client, first := s.listeners[0].connect()
		synctest.Wait()
		_, second := s.listeners[1].connect() // accepted: that listener was waiting already
		close(stop)
		pending(t, "drain", s.done)
		s.wantListenersClosed(t)
		if isClosed(first.closed) {
			t.Error("Stop cut a handler")
		}
		wantClosedForcefully(t, second)
		client.end()
		wantNil(t, "serve", over(t, "serve", s.done))
	})
}

func TestServeConnectionAcceptedTogetherWithStopIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		l := newFakeListener()
		l.onConn = func() {
			close(stop)
			time.Sleep(time.Second) // until the server has seen it
		}
		client, server := l.connect()
		done := async(func() error {
			return trigo.ServeListeners(t.Context(), waitForEOF, []*fakeListener{l}, &trigo.ServeOptions{Stop: stop, MaxConns: 1})
		})
		<-l.closed
		pending(t, "drain", done)
		if isClosed(server.closed) {
			t.Error("the connection was not served")
		}
		client.end()
		wantNil(t, "serve", over(t, "serve", done))
	})
}
