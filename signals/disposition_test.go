//go:build unix

package signals

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"testing"
	"time"
)

// disposed opens and closes a receiver, time and again, above a disposition of
// its own: a plain signal.Notify, which counts. In each round it is sent some
// signals, each once, receives a few of them and closes. What was there before
// has then been told of every signal as it arrived, and once more of those that
// were raised again. It says how many it received itself and how many came
// back.
func disposed() {
	before := make(chan os.Signal, 100)
	all := make([]os.Signal, len(mixture))
	for i, m := range mixture {
		all[i] = m
	}
	signal.Notify(before, all...)
	for {
		r := open(all...)
		fmt.Println("open")
		var round [1]byte // so many signals were sent
		if _, err := io.ReadFull(os.Stdin, round[:]); err != nil {
			r.Close(background)
			return
		}
		unread := map[os.Signal]bool{}
		for range round[0] {
			unread[<-before] = true
		}
		received := rand.IntN(int(round[0]) + 1)
		for range received {
			sig, err := r.Receive(background)
			if err != nil {
				panic(err)
			}
			if !unread[sig] {
				panic(fmt.Sprint(sig, " received twice, or never sent"))
			}
			delete(unread, sig)
		}
		if err := r.Close(background); err != nil {
			panic(err)
		}
		back := len(unread)
		ctx, cancel := context.WithTimeout(background, 10*time.Second)
		for len(unread) > 0 {
			select {
			case sig := <-before:
				if !unread[sig] {
					panic(fmt.Sprint(sig, " raised again though it was received"))
				}
				delete(unread, sig)
			case <-ctx.Done():
				panic(fmt.Sprint("lost: ", unread))
			}
		}
		cancel()
		fmt.Printf("%d+%d\n", received, back)
	}
}

// TestWhatNobodyReadComesBackOnce counts the signals that a receiver read and
// those that it left to the disposition before it. Together they are those sent.
func TestWhatNobodyReadComesBackOnce(t *testing.T) {
	target := 2_000
	if os.Getenv("TRIGO_SOAK") != "" {
		target = 1_000_000
	}
	c := start(t, "disposed", "")
	sent, received, back := 0, 0, 0
	for sent < target {
		c.says("open")
		n := 1 + rand.IntN(len(mixture))
		for _, i := range rand.Perm(len(mixture))[:n] {
			c.send(mixture[i])
		}
		sent += n
		c.in.Write([]byte{byte(n)})
		var r, b int
		if !c.out.Scan() {
			t.Fatalf("the child ended: %v", c.cmd.Wait())
		}
		if _, err := fmt.Sscanf(c.out.Text(), "%d+%d", &r, &b); err != nil {
			t.Fatal(err)
		}
		if r+b != n {
			t.Fatalf("sent %d, received %d, %d came back", n, r, b)
		}
		received, back = received+r, back+b
	}
	c.says("open")
	c.in.Close()
	c.ends(0)
	t.Logf("%d signals: %d received, %d raised again", sent, received, back)
}
