package docs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"trigo"
	"trigo/channel"
	"trigo/file"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/process"
	"trigo/tlsstream"
	"trigo/trigotest"
)

func Example_tasks() {
	err := nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		// start: the task tells when it is ready, and with what.
		inbox, err := nursery.Start(ctx, n, func(ctx context.Context, started func(chan string)) error {
			inbox := make(chan string)
			started(inbox)
			for {
				select {
				case mail := <-inbox:
					inbox <- "thanks for " + mail
				case <-ctx.Done():
					return trigo.CancelError(ctx)
				}
			}
		})
		if err != nil {
			return err
		}

		// start_soon: a task like any other.
		var sent sync.WaitGroup
		sent.Add(1)
		n.Go(func(ctx context.Context) error {
			defer sent.Done()
			inbox <- "a letter"
			fmt.Println(<-inbox)
			return nil
		})
		sent.Wait()

		// move_on_after and fail_after, around something that takes too long.
		sleep := func(ctx context.Context) error {
			select {
			case <-time.After(time.Hour):
				return nil
			case <-ctx.Done():
				return trigo.CancelError(ctx)
			}
		}
		expired, err := nursery.MoveOnAfter(ctx, time.Millisecond, sleep)
		fmt.Println(expired, err)
		err = nursery.FailAfter(ctx, time.Millisecond, sleep)
		fmt.Println(errors.Is(err, nursery.ErrTooSlow))

		// A cancel is an error that can be told apart.
		hurried, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		err = sleep(hurried)
		fmt.Println(nursery.IsCancellation(hurried, err), errors.Is(err, context.DeadlineExceeded))

		// Clean-up that may take a moment, although everything is cancelled.
		return nursery.Shield(cancelled(), time.Second, func(ctx context.Context) error {
			fmt.Println(ctx.Err())
			n.Cancel(nil) // nursery.cancel_scope.cancel()
			return nil
		})
	})
	fmt.Println(err)
	// Output:
	// thanks for a letter
	// true <nil>
	// true
	// true true
	// <nil>
	// <nil>
}

func Example_threads() {
	// A call that blocks is just made: a goroutine waits, and no other one.
	old := file.SetLimit(8) // how many calls on disks are under way at a time
	defer file.SetLimit(old)
	cwd, err := file.Cwd(context.Background())
	fmt.Println(cwd.IsAbsolute(), err)
	// Output: true <nil>
}

func Example_tlsOverSubprocess() {
	err := nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		child, err := nursery.Start(ctx, n, process.Supervise(&process.Command{
			Args:   []string{os.Args[0], "tls-echo"}, // speaks TLS on its standard streams
			Stdin:  process.Pipe,
			Stdout: process.Pipe,
		}))
		if err != nil {
			return err
		}
		// child.Stdio() is the same as this:
		pipes := trigo.Staple(child.Stdin(), child.Stdout())
		s := tlsstream.Client(pipes, &tls.Config{InsecureSkipVerify: true}, nil)
		if err := s.SendAll(ctx, []byte("hello")); err != nil {
			return err
		}
		fmt.Println(receive(ctx, s))
		return s.Close(ctx) // the child sees the end, and ends
	})
	fmt.Println(err)
	// Output:
	// hello
	// <nil>
}

func Example_tlsInTLS() {
	proxyServer, proxyClient := certificates()
	siteServer, siteClient := certificates()
	siteServer.NextProtos, siteClient.NextProtos = []string{"tea"}, []string{"tea"}

	near, far := trigotest.NewMemoryPair() // or any other stream
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			s1 := tlsstream.Server(far, proxyServer, nil)
			return echo(ctx, tlsstream.Server(s1, siteServer, nil))
		})
		s1 := tlsstream.Client(near, proxyClient, nil)
		s2 := tlsstream.Client(s1, siteClient, nil)
		if err := s2.SendAll(ctx, []byte("GET /index.html")); err != nil {
			return err
		}
		fmt.Println(receive(ctx, s2))
		fmt.Println(s2)
		_, found := trigo.As[*trigo.StapledStream](s2) // through both layers
		fmt.Println(found)
		return s2.Close(ctx)
	})
	// Output:
	// GET /index.html
	// tls1.3 tea localhost
	// true
}

func Example_streams() {
	ctx := context.Background()
	a, b := trigotest.NewMemoryPair()
	var (
		_ trigo.Resource            = a
		_ trigo.SendStream          = a
		_ trigo.ReceiveStream       = a
		_ trigo.Stream              = a
		_ trigo.HalfCloseableStream = a
	)

	check(a.WaitSendAllMightNotBlock(ctx))
	check(a.SendAll(ctx, []byte("hello, ")))
	check(a.SendAll(ctx, []byte("world")))
	check(a.SendEOF(ctx)) // b can still send

	p := make([]byte, 5) // as much as there is room for
	n, err := b.ReceiveSome(ctx, p)
	fmt.Printf("%q %v\n", p[:n], err)
	for chunk, err := range trigo.Chunks(ctx, b) { // async for
		fmt.Printf("%q %v\n", chunk, err)
	}
	_, err = b.ReceiveSome(ctx, p)
	fmt.Println(err == io.EOF) // bare, and for ever

	check(b.SendAll(ctx, []byte("bye")))
	check(b.Close(ctx))
	check(b.Close(ctx)) // no error
	fmt.Println(receive(ctx, a))
	check(trigo.CloseForcefully(a))
	// Output:
	// "hello" <nil>
	// ", world" <nil>
	// true
	// bye
}

func Example_endsOfAStream() {
	withTCP(func(ctx context.Context, a, b *netstream.Stream) error {
		// What a cancel leaves: a stream that works, and the number of bytes.
		err := a.SendAll(cancelled(), []byte("never mind"))
		var op *trigo.OpError
		fmt.Println(errors.As(err, &op), op.N, errors.Is(err, context.Canceled))
		check(a.SendAll(ctx, []byte("hello")))
		fmt.Println(receive(ctx, b))

		// An abort can be told from an end of file.
		check(trigo.Abort(a))
		_, err = b.ReceiveSome(ctx, make([]byte, 1))
		fmt.Println(errors.Is(err, trigo.ErrBroken), errors.Is(err, syscall.ECONNRESET))
		fmt.Println(errors.Is(a.SendEOF(ctx), trigo.ErrClosed))
		return nil
	})

	// The second of two callers is told, the first is unharmed.
	a, b := trigotest.NewLockstepPair()
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error { return a.SendAll(ctx, []byte("first")) })
		p := make([]byte, 1)
		if _, err := b.ReceiveSome(ctx, p); err != nil { // now it is under way
			return err
		}
		fmt.Println(errors.Is(a.SendAll(ctx, []byte("second")), trigo.ErrBusy))
		fmt.Println(string(p) + receive(ctx, b))
		return nil
	})
	// Output:
	// true 0 true
	// hello
	// true true
	// true
	// true
	// first
}

func Example_listener() {
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		listeners, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
		if err != nil {
			return err
		}
		var l trigo.Listener[*netstream.Stream] = listeners[0]
		n.Go(func(ctx context.Context) error {
			s, err := l.Accept(ctx)
			if err != nil {
				return err
			}
			return s.Close(ctx)
		})
		s, err := netstream.DialTCP(ctx, listeners[0].Addr().String(), nil)
		if err != nil {
			return err
		}
		_, err = s.ReceiveSome(ctx, make([]byte, 1))
		fmt.Println(err)
		return errors.Join(s.Close(ctx), l.Close(ctx))
	})
	// Output: EOF
}

func Example_channels() {
	ctx := context.Background()
	var (
		s *channel.Sender[string]
		r *channel.Receiver[string]
	)
	s, r = channel.Open[string](10) // open_memory_channel
	var (
		_ trigo.SendChannel[string]    = s
		_ trigo.ReceiveChannel[string] = r
		_ trigo.Channel[string]        = twoWay{s, r}
	)
	_, err := r.ReceiveNoWait()
	fmt.Println(errors.Is(err, trigo.ErrWouldBlock))
	check(s.Send(ctx, "one"))
	check(s.SendNoWait("two"))
	check(s.Send(ctx, "three"))
	check(s.Close(ctx))

	v, err := r.Receive(ctx)
	fmt.Println(v, err)
	for v, err := range trigo.Values(ctx, r) { // async for
		fmt.Println(v, err)
	}
	_, err = r.Receive(ctx)
	fmt.Println(err == trigo.ErrEndOfChannel, errors.Is(err, io.EOF))
	check(r.Close(ctx))
	// Output:
	// true
	// one <nil>
	// two <nil>
	// three <nil>
	// true true
}

func Example_serveListeners() {
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		listeners, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
		if err != nil {
			return err
		}
		address := listeners[0].Addr().String()
		stop, ready := make(chan struct{}), make(chan struct{})
		n.Go(func(ctx context.Context) error {
			overloaded := []*busyListener{{Listener: listeners[0]}} // at first
			return trigo.ServeListeners(ctx, echo[*netstream.Stream], overloaded, &trigo.ServeOptions{
				HandlerNursery: n,                                    // nil: one of its own
				Ready:          func() { close(ready) },              // task_status.started
				RetryDelay:     time.Millisecond,                     // after EMFILE and the like
				Logger:         slog.New(slog.DiscardHandler),        // is told of that
				HandlerError:   func(err error) error { return nil }, // a handler may fail
				Stop:           stop,                                 // ends it gently
				MaxConns:       100,
			})
		})
		<-ready
		s, err := netstream.DialTCP(ctx, address, nil)
		if err != nil {
			return err
		}
		if err := s.SendAll(ctx, []byte("served")); err != nil {
			return err
		}
		fmt.Println(receive(ctx, s))
		close(stop)
		return s.Close(ctx)
	})
	// Output: served
}

func Example_staple() {
	ctx := context.Background()
	left, right := trigotest.NewMemoryOneWayPair()
	var s *trigo.StapledStream = trigo.Staple(left, right) // echoes what is sent into it
	check(s.WaitSendAllMightNotBlock(ctx))
	check(s.SendAll(ctx, []byte("x")))
	fmt.Println(receive(ctx, s))

	fmt.Println(s.Send == trigo.SendStream(left), s.Receive == trigo.ReceiveStream(right))
	check(s.SendEOF(ctx)) // left has no SendEOF: it is closed
	_, err := s.ReceiveSome(ctx, make([]byte, 1))
	fmt.Println(err)
	check(s.Close(ctx)) // both
	// Output:
	// x
	// true true
	// EOF
}
