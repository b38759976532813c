package rows

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/tlsstream"
)

func idleRows() []Row {
	rows := []Row{}
	for _, conns := range []int{1_000, 4_000} {
		rows = append(rows,
			Row{Name: fmt.Sprintf("memory of an idle connection, both ends, of %d", conns), Unit: "B",
				Setup: func(s *Scope) []Contestant { return idlePlain(s, s.Pick(conns/10, conns)) }},
			Row{Name: fmt.Sprintf("memory of an idle TLS connection, both ends, of %d", conns), Unit: "B", Limit: 1,
				Setup: func(s *Scope) []Contestant { return idleTLS(s, s.Pick(conns/10, conns)) }},
		)
	}
	for _, conns := range []int{100, 1_000, 8_000} {
		rows = append(rows, Row{
			Name: fmt.Sprintf("cancel of %d blocked receives, the last of them", conns), Unit: "µs",
			Setup: func(s *Scope) []Contestant { return cancels(s, s.Pick(min(conns, 1000), conns)) },
		})
	}
	return rows
}

// heapOf tells how much of the heap and the stacks each of n things holds, while
// a receiver waits in each.
func heapOf(n int, make_ func() (wait, free func())) float64 {
	held := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc + m.StackInuse)
	}
	before := held()
	var frees []func()
	var waiting sync.WaitGroup
	for range n {
		wait, free := make_()
		frees = append(frees, free)
		waiting.Go(wait)
	}
	time.Sleep(50 * time.Millisecond) // until they wait
	after := held()
	for _, free := range frees {
		free()
	}
	waiting.Wait()
	return (after - before) / float64(n)
}

func dialer(s *Scope) func() (client, server net.Conn) {
	l := MustGet(net.Listen("tcp", "127.0.0.1:0"))
	s.Cleanup(func() { l.Close() })
	return func() (client, server net.Conn) {
		return MustGet(net.Dial("tcp", l.Addr().String())), MustGet(l.Accept())
	}
}

func idlePlain(s *Scope, conns int) []Contestant {
	dial := dialer(s)
	return []Contestant{{Name: "trigo", Measure: func() float64 {
		return heapOf(conns, func() (wait, free func()) {
			a, b := dial()
			c, p := MustGet(netstream.FromConn(a)), MustGet(netstream.FromConn(b))
			buf := make([]byte, 1)
			return func() { p.ReceiveSome(s.Ctx, buf) }, func() { c.Abort(); p.Abort() }
		})
	}}, {Name: "net", Fewer: true, Measure: func() float64 {
		return heapOf(conns, func() (wait, free func()) {
			a, b := dial()
			buf := make([]byte, 1)
			return func() { b.Read(buf) }, func() { a.Close(); b.Close() }
		})
	}}}
}

func idleTLS(s *Scope, conns int) []Contestant {
	dial := dialer(s)
	cc, sc := tlsConfigs()
	return []Contestant{{Name: "trigo", Measure: func() float64 {
		return heapOf(conns, func() (wait, free func()) {
			a, b := dial()
			c, p := handshaken(s, tlsstream.Client(MustGet(netstream.FromConn(a)), cc, nil),
				tlsstream.Server(MustGet(netstream.FromConn(b)), sc, nil))
			buf := make([]byte, 1)
			return func() { p.ReceiveSome(s.Ctx, buf) }, func() { c.Abort(); p.Abort() }
		})
	}}, {Name: "crypto/tls", Fewer: true, Measure: func() float64 {
		return heapOf(conns, func() (wait, free func()) {
			a, b := dial()
			c, p := tls.Client(a, cc), tls.Server(b, sc)
			done := make(chan error, 1)
			go func() { done <- p.Handshake() }()
			Must(c.Handshake())
			Must(<-done)
			buf := make([]byte, 1)
			return func() { p.Read(buf) }, func() { a.Close(); b.Close() }
		})
	}}}
}

// cancels tells how long it takes until the last of many that wait has returned.
func cancels(s *Scope, conns int) []Contestant {
	dial := dialer(s)
	return []Contestant{{Name: "trigo", Measure: func() float64 {
		return lastOf(s, conns, func() (wait func(ctx context.Context), free func()) {
			a, b := dial()
			p := MustGet(netstream.FromConn(b))
			buf := make([]byte, 1)
			return func(ctx context.Context) { p.ReceiveSome(ctx, buf) }, func() { a.Close(); trigo.CloseForcefully(p) }
		})
	}}, {Name: "net with an AfterFunc for each call", Measure: func() float64 {
		return lastOf(s, conns, func() (wait func(ctx context.Context), free func()) {
			a, b := dial()
			buf := make([]byte, 1)
			return func(ctx context.Context) { ctxConn{b, ctx}.Read(buf) }, func() { a.Close(); b.Close() }
		})
	}}}
}

func lastOf(s *Scope, n int, make_ func() (wait func(ctx context.Context), free func())) float64 {
	ctx, cancel := context.WithCancel(s.Ctx)
	defer cancel()
	var frees []func()
	ends := make([]time.Time, n)
	var waiting sync.WaitGroup
	for i := range n {
		wait, free := make_()
		frees = append(frees, free)
		waiting.Go(func() {
			wait(ctx)
			ends[i] = time.Now()
		})
	}
	time.Sleep(50 * time.Millisecond) // until they wait
	start := time.Now()
	cancel()
	waiting.Wait()
	for _, free := range frees {
		free()
	}
	last := slices.MaxFunc(ends, time.Time.Compare)
	return float64(last.Sub(start)) / 1e3
}
