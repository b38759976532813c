package local

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"trigo"
)

func TestAllOthersReceiveWhatOneSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(0)
		a, b := h.Join(), h.Join()
		send(t, a, "one ")
		c := h.Join() // too late for that
		send(t, b, "two ")
		send(t, c, "three ")
		send(t, a, "four")
		receive(t, b, "one three four")
		receive(t, c, "two four")
		receive(t, a, "two three ")
	})
}

func TestMembersComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(0)
		a, b, c := h.Join(), h.Join(), h.Join()
		sendEOF(t, a)
		send(t, b, "still there")
		receive(t, a, "still there")
		receive(t, c, "still there")
		b.Close(t.Context())
		send(t, c, "!")
		receive(t, a, "!")
		if n := len(h.members); n != 2 {
			t.Errorf("%d members, want 2", n)
		}
	})
}

func TestTheEndComesAfterWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(0)
		a, b := h.Join(), h.Join()
		send(t, a, "last")
		h.Close(t.Context())
		receive(t, b, "last")
		receiveFails(t, b, io.EOF)
		receiveFails(t, b, io.EOF)
		receiveFails(t, h.Join(), io.EOF)
		if err := a.SendAll(t.Context(), []byte("x")); err == nil {
			t.Error("sent into a closed hub")
		}
	})
}

func TestASlowMemberFailsAndHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(10)
		a, slow, quick := h.Join(), h.Join(), h.Join()
		send(t, a, "0123456789")
		receive(t, quick, "0123456789")
		receive(t, slow, "0")
		send(t, a, "a")
		send(t, a, "b")
		receive(t, quick, "ab")
		receiveFails(t, slow, ErrLagged, trigo.ErrBroken)
		receiveFails(t, slow, ErrLagged)
		send(t, slow, "I can still speak") // at once more than the limit
		receive(t, a, "I can still speak")
	})
}

// What one call sends stays together, in one order for everybody.
func TestMembersAgreeOnTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(0)
		x, y := h.Join(), h.Join()
		var all sync.WaitGroup
		total := 0
		for i := range 4 {
			text := strings.Repeat(fmt.Sprint(i), 100+i)
			total += 10 * len(text)
			s := h.Join()
			all.Go(func() {
				for range 10 {
					send(t, s, text)
				}
				s.Close(t.Context())
			})
		}
		all.Wait()
		p := make([]byte, total)
		n, err := x.ReceiveSome(t.Context(), p)
		if n != total || err != nil {
			t.Fatal(n, err, total)
		}
		receive(t, y, string(p))
		for rest := string(p); rest != ""; {
			size := 100 + int(rest[0]-'0')
			if strings.Count(rest[:size], rest[:1]) != size {
				t.Fatalf("torn: %q", rest[:size])
			}
			rest = rest[size:]
		}
	})
}
