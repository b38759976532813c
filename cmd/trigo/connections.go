package main

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"trigo"
	"trigo/relay"
)

// connections are the relays under way, and what became of those before.
type connections struct {
	mu    sync.Mutex
	open  map[*connection]bool
	last  int   // the highest number given
	ended total // of those that are over
}

// total is what some relays have come to.
type total struct{ relays, failed, aToB, bToA int64 }

// connection is one relay.
type connection struct {
	number   int
	peer     string
	a, b     string
	layers   [2][]string
	since    time.Time
	counters relay.Counters
}

func newConnections() *connections { return &connections{open: map[*connection]bool{}} }

// number gives a connection its number before anything is known of it.
func (cs *connections) number() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.last++
	return cs.last
}

// add notes a relay between a and b that begins.
func (cs *connections) add(peer string, a, b trigo.Stream) *connection {
	return cs.addNumbered(cs.number(), peer, a, b)
}

func (cs *connections) addNumbered(number int, peer string, a, b trigo.Stream) *connection {
	c := &connection{number: number, peer: peer, a: nameOf(a), b: nameOf(b), since: time.Now()}
	for side, s := range []trigo.Stream{a, b} {
		for l := range trigo.Layers(s) {
			if text, ok := l.(fmt.Stringer); ok {
				c.layers[side] = append(c.layers[side], text.String())
			}
		}
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.open[c] = true
	return c
}

func (cs *connections) remove(c *connection) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.open, c)
	cs.ended.relays++
	cs.ended.aToB += c.counters.AToB.Load()
	cs.ended.bToA += c.counters.BToA.Load()
}

// failed counts one that went wrong, or could not be served at all.
func (cs *connections) failed() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.ended.failed++
}

func (cs *connections) len() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.open)
}

// list returns those under way, the oldest first.
func (cs *connections) list() []*connection {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	var all []*connection
	for c := range cs.open {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *connection) int { return a.number - b.number })
	return all
}

// totals counts everything, those under way included.
func (cs *connections) totals() total {
	open := cs.list()
	cs.mu.Lock()
	t := cs.ended
	cs.mu.Unlock()
	for _, c := range open {
		t.aToB += c.counters.AToB.Load()
		t.bToA += c.counters.BToA.Load()
	}
	return t
}

// line tells of one relay under way.
func (c *connection) line() string {
	return fmt.Sprintf("#%d %s a=%s b=%s sent=%s recv=%s %s", c.number, c.peer, c.a, c.b,
		tight(c.counters.AToB.Load()), tight(c.counters.BToA.Load()), brief(time.Since(c.since)))
}
