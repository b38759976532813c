//go:build unix

package signals

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"trigo/nursery"
)

// mixture is what the child of the test below is sent.
var mixture = []syscall.Signal{
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP, syscall.SIGALRM,
	syscall.SIGWINCH, syscall.SIGTERM, syscall.SIGINT, syscall.SIGIO,
}

// mixed counts signals. One receiver is always open and receives all that the
// others leave; they open and close all the time, in some order, and receive
// sometimes and sometimes not. For each round of the test it counts how often
// it got each signal, and says so when each was got at least once.
func mixed() {
	var mu sync.Mutex
	counts := make([]uint32, len(mixture))
	news := make(chan struct{}, 1)
	count := func(sig os.Signal) {
		mu.Lock()
		defer mu.Unlock()
		for i, m := range mixture {
			if m == sig {
				counts[i]++
			}
		}
		select {
		case news <- struct{}{}:
		default:
		}
	}
	all := make([]os.Signal, len(mixture))
	for i, m := range mixture {
		all[i] = m
	}
	base := open(all...)
	var over atomic.Bool
	err := nursery.Run(background, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			for sig, err := range base.All(ctx) {
				if err != nil {
					return nil // closed
				}
				count(sig)
			}
			return nil
		})
		for range 2 {
			n.Go(func(ctx context.Context) error {
				for !over.Load() {
					k := 1 + rand.IntN(len(all))
					at := rand.IntN(len(all))
					inner := open(append(append([]os.Signal{}, all...), all...)[at : at+k]...)
					for range rand.IntN(3) {
						expired, cancel := context.WithTimeout(ctx, 50_000)
						if sig, err := inner.Receive(expired); err == nil {
							count(sig)
						}
						cancel()
					}
					if err := inner.Close(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		}
		defer base.Close(ctx)
		defer over.Store(true)
		fmt.Println("ready")
		total := make([]uint32, len(mixture))
		for {
			var round [1]byte // one bit for each signal that is sent
			if _, err := io.ReadFull(os.Stdin, round[:]); err != nil {
				return nil
			}
			for i := range mixture {
				total[i] += uint32(round[0] >> i & 1)
			}
			for complete := false; !complete; {
				<-news
				mu.Lock()
				complete = true
				for i := range mixture {
					complete = complete && counts[i] >= total[i]
				}
				mu.Unlock()
			}
			mu.Lock()
			binary.Write(os.Stdout, binary.LittleEndian, counts)
			mu.Unlock()
		}
	})
	if err != nil {
		panic(err)
	}
}

// TestEachSignalIsReceivedOnce sends signals to a child whose receivers come
// and go. A round is of different signals, and the next begins when they have
// been received: so none is merged with another, and the numbers must agree.
func TestEachSignalIsReceivedOnce(t *testing.T) {
	target := 5_000
	if os.Getenv("TRIGO_SOAK") != "" {
		target = 1_000_000
	}
	c := start(t, "mixed", "")
	out := c.raw // as the rest is no text, and the child says nothing more until it is asked
	c.says("ready")
	want := make([]uint32, len(mixture))
	got := make([]uint32, len(mixture))
	sent := 0
	for sent < target {
		round := byte(1 + rand.IntN(255))
		for _, i := range rand.Perm(len(mixture)) {
			if round>>i&1 == 1 {
				c.send(mixture[i])
				want[i]++
				sent++
			}
		}
		c.in.Write([]byte{round})
		if err := binary.Read(out, binary.LittleEndian, got); err != nil {
			t.Fatalf("the child ended: %v, %v", err, c.cmd.Wait())
		}
		for i := range mixture {
			if got[i] != want[i] {
				t.Fatalf("%v: sent %d, received %d", mixture[i], want[i], got[i])
			}
		}
	}
	c.in.Close()
	io.Copy(io.Discard, out)
	c.ends(0)
	t.Logf("%d signals", sent)
}
