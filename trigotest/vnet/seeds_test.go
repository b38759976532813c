package vnet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/trigotest/vnet"
)

// The protocol: a client sends a number and a newline, and the server answers
// with as many bytes, of which each depends on its place and on the number.

func answer(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*7 + n)
	}
	return p
}

func serveNumbers(ctx context.Context, s *netstream.Stream) error {
	var line []byte
	p := make([]byte, 16)
	for {
		n, err := s.ReceiveSome(ctx, p)
		if err != nil {
			return nil // the client's trouble
		}
		line = append(line, p[:n]...)
		for {
			text, rest, ok := bytes.Cut(line, []byte("\n"))
			if !ok {
				break
			}
			line = rest
			number, err := strconv.Atoi(string(text))
			if err != nil {
				return fmt.Errorf("the server received %q", text)
			}
			if s.SendAll(ctx, answer(number)) != nil {
				return nil
			}
		}
	}
}

// ask makes one connection and asks three questions.
func ask(ctx context.Context, dice *rand.Rand) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	s, err := netstream.DialTCP(ctx, "numbers.test:80", nil)
	if err != nil {
		return err
	}
	defer s.Close(ctx)
	for range 3 {
		number := dice.IntN(20_000)
		if err := s.SendAll(ctx, fmt.Appendf(nil, "%d\n", number)); err != nil {
			return err
		}
		var got []byte
		p := make([]byte, 1000)
		for len(got) < number {
			n, err := s.ReceiveSome(ctx, p[:min(len(p), number-len(got))])
			if err == io.EOF {
				return errors.New("an end of file in the middle of an answer")
			}
			if err != nil {
				return err
			}
			got = append(got, p[:n]...)
		}
		if !bytes.Equal(got, answer(number)) {
			return fmt.Errorf("a wrong answer to %d", number)
		}
	}
	return nil
}

// outcome names what a client ended with, or fails the test.
func outcome(t *testing.T, seed uint64, err error) string {
	for _, kind := range []struct {
		err  error
		name string
	}{
		{context.DeadlineExceeded, "out of time"},
		{syscall.ETIMEDOUT, "timed out"},
		{trigo.ErrBroken, "broken"},
		{syscall.ECONNRESET, "reset while dialling"},
	} {
		if errors.Is(err, kind.err) {
			return kind.name
		}
	}
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	return "answered"
}

// faultyWorld runs three clients against one server in a network that goes wrong
// as the seed has it. It returns the event log and how the clients ended.
func faultyWorld(t *testing.T, seed uint64) (log, ends []string, counts vnet.Counts) {
	synctest.Test(t, func(t *testing.T) {
		dice := rand.New(rand.NewPCG(seed, 0))
		n := vnet.New(seed)
		server := n.Host("server", "10.0.0.100", "fd00::100")
		n.Name("numbers.test", "fd00::100", "10.0.0.100")
		var clients []*vnet.Host
		for i := range 3 {
			c := n.Host(fmt.Sprint("client", i), fmt.Sprintf("10.0.0.%d", i+1), fmt.Sprintf("fd00::%d", i+1))
			l := vnet.Link{
				Latency: time.Duration(dice.IntN(100_000_000)),
				Jitter:  time.Duration(dice.IntN(50_000_000)),
				Loss:    0.2 * dice.Float64() * dice.Float64(),
				Reset:   0.02 * dice.Float64() * dice.Float64(),
			}
			if dice.IntN(2) == 0 {
				l.Bandwidth = 5000 + dice.Int64N(200_000)
			}
			n.Link(c, server, l)
			clients = append(clients, c)
		}
		ends = make([]string, len(clients))
		ctx := t.Context()
		err := nursery.Run(ctx, func(ctx context.Context, outer *nursery.Nursery) error {
			outer.Go(func(ctx context.Context) error {
				return netstream.ServeTCP(server.Context(ctx), ":80", serveNumbers, nil)
			})
			synctest.Wait()
			err := nursery.Run(ctx, func(ctx context.Context, inner *nursery.Nursery) error {
				for i, c := range clients {
					own := rand.New(rand.NewPCG(seed, uint64(i+1)))
					start := time.Duration(own.Int64N(1_000_000_000))
					before, length := time.Duration(own.Int64N(3_000_000_000)), time.Duration(own.Int64N(40_000_000_000))
					parted := own.IntN(3) == 0
					inner.Go(func(ctx context.Context) error {
						time.Sleep(start)
						ends[i] = outcome(t, seed, ask(c.Context(ctx), own))
						return nil
					})
					if !parted {
						continue
					}
					inner.Go(func(ctx context.Context) error {
						time.Sleep(before)
						n.Partition(c, server)
						time.Sleep(length)
						n.Heal(c, server)
						return nil
					})
				}
				return nil
			})
			outer.Cancel(errors.New("all clients have ended"))
			return err
		})
		wantErr(t, fmt.Sprint("seed ", seed), err, nil)
		log, counts = n.Log(), n.Counts()
	})
	return log, ends, counts
}

// Whatever the network does, a client gets the right answer or the right kind
// of error, and the same seed does the same.
func TestAThousandFaultyNetworks(t *testing.T) {
	seeds := uint64(60)
	if os.Getenv("TRIGO_SOAK") != "" {
		seeds = 1000
	}
	ended := make(map[string]int)
	var total vnet.Counts
	for seed := range seeds {
		log, ends, counts := faultyWorld(t, seed)
		again, endsAgain, _ := faultyWorld(t, seed)
		if !slices.Equal(log, again) || !slices.Equal(ends, endsAgain) {
			t.Fatalf("seed %d goes two ways: %s", seed, firstDifference(log, again))
		}
		for _, e := range ends {
			ended[e]++
		}
		total.Lost += counts.Lost
		total.Reset += counts.Reset
		total.Parted += counts.Parted
		total.Partitions += counts.Partitions
	}
	t.Logf("%d seeds: %v, %+v", seeds, ended, total)
	for _, e := range []string{"answered", "out of time", "broken"} {
		if ended[e] == 0 {
			t.Errorf("no client %s", e)
		}
	}
	if total.Lost == 0 || total.Reset == 0 || total.Parted == 0 || total.Partitions == 0 {
		t.Errorf("some fault never fired: %+v", total)
	}
}

func firstDifference(a, b []string) string {
	for i := range max(len(a), len(b)) {
		x, y := strings.Join(a[min(i, len(a)):min(i+1, len(a))], ""), strings.Join(b[min(i, len(b)):min(i+1, len(b))], "")
		if x != y {
			return fmt.Sprintf("line %d is %q and %q", i, x, y)
		}
	}
	return "the clients end differently"
}
