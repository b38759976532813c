package vnet

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"trigo"
)

// A Network is a set of hosts and of what lies between them. Its methods may be
// called at any time, from any goroutine.
type Network struct {
	// mu guards everything in the network, its connections included. Nobody
	// waits while holding it.
	mu      sync.Mutex
	seed    uint64
	began   time.Time
	hosts   []*Host
	names   map[string][]netip.Addr
	links   map[[2]*Host]*link
	conns   []*conn // those that a partition concerns, in the order in which they were made
	sockets []*udpSocket
	log     []event
	counts  Counts
}

// lock locks the network and returns what unlocks it.
func (n *Network) lock() (unlock func()) {
	n.mu.Lock()
	return n.mu.Unlock
}

// look returns the error of ctx, if that has ended. The network, which is locked, is
// not locked meanwhile: a ctx may do anything when it is looked at, such as to part
// two hosts.
func (n *Network) look(ctx context.Context) (cancelled error) {
	n.mu.Unlock()
	defer n.mu.Lock()
	return trigo.CancelError(ctx)
}

// park waits for a token, for a time unless that is zero, or for the end of
// ctx, and returns what look does. The network is not locked meanwhile either.
func (n *Network) park(ctx context.Context, token <-chan struct{}, until time.Time) (cancelled error) {
	n.mu.Unlock()
	defer n.mu.Lock()
	var due <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-token:
	case <-due:
	case <-ctx.Done():
	}
	return trigo.CancelError(ctx)
}

// New returns a network without hosts. Make it inside the bubble that it is used
// in.
func New(seed uint64) *Network {
	return &Network{
		seed:  seed,
		began: time.Now(),
		names: make(map[string][]netip.Addr),
		links: make(map[[2]*Host]*link),
	}
}

// Host adds a machine with these addresses. It panics if one is malformed or
// taken. Every host has loopback addresses of its own besides.
func (n *Network) Host(name string, addrs ...string) *Host {
	defer n.lock()()
	h := &Host{
		n: n, name: name, addrs: parseAll(addrs), names: make(map[string][]netip.Addr),
		tcp: make(map[netip.AddrPort]*listener), udp: make(map[netip.AddrPort]*udpSocket), nextPort: firstPort,
	}
	for _, a := range h.addrs {
		if n.owner(a) != nil {
			panic(fmt.Sprintf("vnet: address %v is taken", a))
		}
	}
	n.hosts = append(n.hosts, h)
	return h
}

// Name gives a name its addresses, in this order, on every host that has no
// other view of it; see [Host.Name].
func (n *Network) Name(name string, addrs ...string) {
	defer n.lock()()
	n.names[canonical(name)] = parseAll(addrs)
}

func parseAll(texts []string) []netip.Addr {
	addrs := make([]netip.Addr, len(texts))
	for i, text := range texts {
		addrs[i] = netip.MustParseAddr(text).Unmap()
	}
	return addrs
}

// canonical is how names are compared.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// owner returns the host that has an address; n.mu is held.
func (n *Network) owner(a netip.Addr) *Host {
	for _, h := range n.hosts {
		if slices.Contains(h.addrs, a) {
			return h
		}
	}
	return nil
}

// A Link is what lies between two hosts, the same in both directions. The
// chances are from 0 to 1. The zero value is a perfect link without latency,
// which is what hosts have between them if nothing else is said.
type Link struct {
	Latency time.Duration // of one direction
	Jitter  time.Duration // up to so much more, for each packet

	// Loss is the chance of a packet to get lost. A lost TCP segment is sent
	// again after 200 ms, then 400 ms, and so on; a lost SYN after 1 s.
	Loss float64

	// Bandwidth is how many bytes a second pass in each direction; 0 is any
	// number. Segments and datagrams leave one after the other, those of all
	// connections between the two hosts in one line, and take their time before
	// the latency begins. Nothing is lost by that: the line is as long as it
	// has to be. What carries no bytes passes by it, and bytes that are sent
	// again cost nothing.
	Bandwidth int64

	Duplicate float64 // chance of a datagram to arrive twice
	Reorder   float64 // chance of a datagram to take twice the time, so that later ones overtake it
	Reset     float64 // chance of a TCP segment to reset its connection
}

// link is one direction of a Link.
type link struct {
	Link
	parted   bool
	partings int       // how often it was parted,
	partedAt time.Time // and when for the last time
	free     time.Time // when all that was sent has left
}

// part begins or ends a partition.
func (l *link) part(parted bool) {
	l.parted = parted
	if parted {
		l.partings++
		l.partedAt = time.Now()
	}
}

// leave returns when a packet of n bytes that is ready now has left. A FIN that
// waited for its turn would depend on who was quicker, in the instant in which a
// dial has a winner: he who sends, or the loser who closes.
func (l *link) leave(now time.Time, n int) time.Time {
	if l.Bandwidth <= 0 || n == 0 {
		return now
	}
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(int64(n) * int64(time.Second) / l.Bandwidth))
	return l.free
}

// Link says what lies between a and b from now on. What is under way is not
// concerned.
func (n *Network) Link(a, b *Host, l Link) {
	defer n.lock()()
	n.between(a, b).Link = l
	n.between(b, a).Link = l
}

// between returns the link from one host to another; n.mu is held.
func (n *Network) between(from, to *Host) *link {
	key := [2]*Host{from, to}
	if n.links[key] == nil {
		n.links[key] = &link{}
	}
	return n.links[key]
}

// Partition cuts a and b off from each other, until [Network.Heal]. What is
// under way between them does not arrive: datagrams and what a dial sends are lost,
// segments held back until then.
func (n *Network) Partition(a, b *Host) { n.part(a, b, true) }

// Heal ends a partition. What was held back sets out again within 200 ms, when
// its sender tries again.
func (n *Network) Heal(a, b *Host) { n.part(a, b, false) }

func (n *Network) part(a, b *Host, parted bool) {
	defer n.lock()()
	if n.between(a, b).parted == parted {
		return
	}
	n.between(a, b).part(parted)
	n.between(b, a).part(parted)
	what := "healed"
	if parted {
		what = "parted"
		n.counts.Partitions++
	}
	n.note(a.name+"|"+b.name, "%s", what)
	for _, c := range n.conns {
		if x, y := c.ends[0].host, c.ends[1].host; x == a && y == b || x == b && y == a {
			c.ends[0].onPartition(parted)
			c.ends[1].onPartition(parted)
		}
	}
	for _, s := range n.sockets {
		s.onPartition(a, b, parted)
	}
}

// dice returns the dice of a flow.
func (n *Network) dice(flow string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(flow))
	return rand.New(rand.NewPCG(n.seed, h.Sum64()))
}

// Counts is how often something went wrong.
type Counts struct {
	Lost       int // packets that the link lost
	Duplicated int // datagrams that came twice
	Reordered  int // datagrams that were delayed so that others overtook them
	Reset      int // connections that the link reset
	Parted     int // packets that met a partition
	Partitions int
}

// Counts returns what went wrong so far.
func (n *Network) Counts() Counts {
	defer n.lock()()
	return n.counts
}

// event is a line of the log.
type event struct {
	at   time.Duration
	flow string
	what string
}

// note adds a line to the log; n.mu is held.
func (n *Network) note(flow, format string, args ...any) {
	n.log = append(n.log, event{time.Since(n.began), flow, fmt.Sprintf(format, args...)})
}

// Log returns what has happened, a line for each packet that mattered:
//
//	40ms 10.0.0.1:49152>10.0.0.2:80: sends 5 bytes
//
// Lines of the same instant are in the order of their flows.
func (n *Network) Log() []string {
	n.mu.Lock()
	events := slices.Clone(n.log)
	n.mu.Unlock()
	slices.SortStableFunc(events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.flow, b.flow))
	})
	lines := make([]string, len(events))
	for i, e := range events {
		lines[i] = fmt.Sprintf("%v %s: %s", e.at, e.flow, e.what)
	}
	return lines
}
