package docs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/nursery"
	"trigo/trigotest"
)

func Example_memoryStreams() {
	ctx := context.Background()
	send, recv := trigotest.NewMemorySendStream(), trigotest.NewMemoryReceiveStream()
	send.SendAllHook = func(context.Context) error { // send_all_hook
		_, err := trigotest.Pump(send, recv, 2) // memory_stream_pump, two bytes at a time
		return err
	}
	send.WaitHook = func(context.Context) error { return nil } // wait_send_all_might_not_block_hook
	send.CloseHook = recv.PutEOF                               // close_hook
	recv.ReceiveSomeHook = func(context.Context) error { return nil }
	recv.CloseHook = func() { fmt.Println("receiver closed") }

	check(send.WaitSendAllMightNotBlock(ctx))
	check(send.SendAll(ctx, []byte("abcd")))
	fmt.Println(receive(ctx, recv))
	data, err := send.GetDataNoWait(1)
	fmt.Printf("%s %v\n", data, err)
	data, err = send.GetData(ctx, 0)
	fmt.Printf("%s %v\n", data, err)
	_, err = send.GetDataNoWait(0)
	fmt.Println(errors.Is(err, trigo.ErrWouldBlock))

	check(recv.PutData([]byte("put")))
	fmt.Println(receive(ctx, recv))
	check(send.Close(ctx))
	_, err = recv.ReceiveSome(ctx, make([]byte, 1))
	fmt.Println(err)
	check(recv.Close(ctx))
	// Output:
	// ab
	// c <nil>
	// d <nil>
	// true
	// put
	// EOF
	// receiver closed
}

func Example_pairs() {
	ctx := context.Background()
	out, in := trigotest.NewMemoryOneWayPair()
	check(out.SendAll(ctx, []byte("one way")))
	fmt.Println(receive(ctx, in))
	a, b := trigotest.NewMemoryPair()
	check(b.SendAll(ctx, []byte("two ways")))
	fmt.Println(receive(ctx, a))

	var order trigotest.Sequencer
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		s, r := trigotest.NewLockstepOneWayPair() // without any buffer
		n.Go(func(ctx context.Context) error {
			return order.Step(ctx, 1, func() error { return s.SendAll(ctx, []byte("hand over")) })
		})
		return order.Step(ctx, 0, func() error {
			fmt.Println("first")
			n.Go(func(ctx context.Context) error {
				fmt.Println(receive(ctx, r))
				return nil
			})
			return nil
		})
	})
	c, d := trigotest.NewLockstepPair()
	check(errors.Join(c.Close(ctx), d.Close(ctx)))
	_, err := d.ReceiveSome(ctx, make([]byte, 1))
	fmt.Println(errors.Is(err, trigo.ErrClosed), err == io.EOF)
	// Output:
	// one way
	// two ways
	// first
	// hand over
	// true false
}

func TestFromTrioConformance(t *testing.T) {
	pair := func(context.Context) (a, b *trigo.StapledStream, err error) {
		a, b = trigotest.NewLockstepPair()
		return a, b, nil
	}
	oneWay := func(context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
		s, r := trigotest.NewLockstepOneWayPair()
		return s, r, nil
	}
	bubble := &trigotest.CheckOptions{Bubble: true}
	trigotest.CheckOneWayStream(t, oneWay, oneWay, bubble)
	trigotest.CheckTwoWayStream(t, pair, pair, bubble)
	trigotest.CheckHalfCloseableStream(t, pair, pair, bubble)
}

func TestFromTrioSweep(t *testing.T) {
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		a, b := s.Usable(trigotest.NewLockstepPair())
		s.Peer(func(ctx context.Context) error { return echo(ctx, b) })
		return a.SendAll(ctx, []byte("cut everywhere"))
	}, &trigotest.SweepOptions{Bubble: true})
}

func TestFromTrioVirtualTime(t *testing.T) {
	trigotest.LeakCheck(t)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		a, _ := trigotest.NewLockstepPair()
		expired, err := nursery.MoveOnAfter(t.Context(), time.Hour, func(ctx context.Context) error {
			return a.SendAll(ctx, []byte("nobody receives"))
		})
		if !expired || err != nil || time.Since(begin) != time.Hour {
			t.Error(expired, err, time.Since(begin))
		}
		synctest.Wait() // until every goroutine waits
	})
}
