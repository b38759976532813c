package rows

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/tlsstream"
)

func idleRows() []Row {
	rows := []Row{}
	for _, conns := range []int{1_000, manyConns()} {
		rows = append(rows,
			Row{Name: fmt.Sprintf("memory of an idle connection, both ends of %d", conns), Unit: "B",
				Setup: func(s *Scope) []Contestant {
					conns := s.Pick(200, conns)
					return []Contestant{idle(s, "trigo", conns), idle(s, "net", conns)}
				}},
			Row{Name: fmt.Sprintf("memory of an idle TLS connection, both ends of %d", conns), Unit: "B",
				Setup: func(s *Scope) []Contestant {
					conns := s.Pick(200, conns)
					return []Contestant{idle(s, "trigo TLS", conns), idle(s, "crypto/tls", conns).within(1)}
				}},
		)
	}
	for _, conns := range []int{100, 1_000, manyConns()} {
		rows = append(rows, Row{
			Name: fmt.Sprintf("cancel of %d blocked receives, the last of them", conns), Unit: "µs",
			Setup: func(s *Scope) []Contestant { return cancels(s, s.Pick(min(conns, 1000), conns)) },
		})
	}
	return rows
}

// manyConns is 10,000, or how many connections can have both ends in one process
// where fewer descriptors are allowed.
func manyConns() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1_000
	}
	return max(1_000, min(10_000, (int(limit.Cur)-500)/2/1000*1000))
}

// idle connections are measured in a process that has done nothing else.
func idle(s *Scope, kind string, conns int) Contestant {
	return Contestant{Name: kind, Fewer: kind == "net" || kind == "crypto/tls", Measure: func() float64 {
		line := runServer(s, "idle "+kind, strconv.Itoa(conns))
		return MustGet(strconv.ParseFloat(line, 64))
	}}
}

func init() {
	for kind, open := range map[string]func(s *Scope, l *idleListener) *idleConn{
		"trigo": idleTrigo, "net": idleNet, "trigo TLS": idleTrigoTLS, "crypto/tls": idleNetTLS,
	} {
		servers["idle "+kind] = func(ctx context.Context, _ func(net.Addr)) error {
			conns, err := strconv.Atoi(os.Args[1])
			if err != nil {
				return err
			}
			s, end := newScope(ctx, false)
			defer end()
			l := &idleListener{dial: dialer(s)}
			l.client, l.server = tlsConfigs()
			fmt.Println(heapOf(conns, func() *idleConn { return open(s, l) }))
			return nil
		}
	}
}

// idleListener is what the connections of a process are made with.
type idleListener struct {
	dial           func() (client, server net.Conn)
	client, server *tls.Config
}

// idleConn is a connection with a receiver at both ends, over which a message has
// gone each way.
type idleConn struct {
	receive [2]func()
	free    func()
}

// heapOf tells how much of the heap and the stacks each of n connections holds.
func heapOf(n int, open func() *idleConn) float64 {
	held := func() float64 {
		for range 3 {
			runtime.GC() // the pools are empty after the second
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc + m.StackInuse)
	}
	var conns []*idleConn
	var waiting sync.WaitGroup
	add := func() {
		c := open()
		conns = append(conns, c)
		for _, receive := range c.receive {
			waiting.Go(receive)
		}
	}
	add() // whatever is made once is there now
	before := held()
	for range n {
		add()
	}
	time.Sleep(50 * time.Millisecond) // until they wait
	after := held()
	for _, c := range conns {
		c.free()
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

func idleTrigo(s *Scope, l *idleListener) *idleConn {
	a, b := l.dial()
	return idleStreams(s.Ctx, MustGet(netstream.FromConn(a)), MustGet(netstream.FromConn(b)))
}

func idleTrigoTLS(s *Scope, l *idleListener) *idleConn {
	a, b := l.dial()
	c, p := handshaken(s, tlsstream.Client(MustGet(netstream.FromConn(a)), l.client, nil),
		tlsstream.Server(MustGet(netstream.FromConn(b)), l.server, nil))
	return idleStreams(s.Ctx, c, p)
}

// abortable is what the streams have in common.
type abortable interface {
	trigo.Stream
	Abort() error
}

func idleStreams(ctx context.Context, a, b abortable) *idleConn {
	buf := make([]byte, 1)
	for _, way := range [][2]trigo.Stream{{a, b}, {b, a}} {
		Must(way[0].SendAll(ctx, buf))
		Must(receiveFull(ctx, way[1], buf))
	}
	receive := func(s trigo.Stream) func() {
		return func() { s.ReceiveSome(ctx, make([]byte, 1)) }
	}
	return &idleConn{[2]func(){receive(a), receive(b)}, func() { a.Abort(); b.Abort() }}
}

func idleNet(s *Scope, l *idleListener) *idleConn {
	return idleConns(l.dial())
}

func idleNetTLS(s *Scope, l *idleListener) *idleConn {
	a, b := l.dial()
	c, p := tls.Client(a, l.client), tls.Server(b, l.server)
	done := make(chan error, 1)
	go func() { done <- p.Handshake() }()
	Must(c.Handshake())
	Must(<-done)
	idle := idleConns(c, p)
	idle.free = func() { a.Close(); b.Close() } // without goodbyes
	return idle
}

func idleConns(a, b net.Conn) *idleConn {
	buf := make([]byte, 1)
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		MustGet(way[0].Write(buf))
		MustGet(io.ReadFull(way[1], buf))
	}
	receive := func(c net.Conn) func() {
		return func() { c.Read(make([]byte, 1)) }
	}
	return &idleConn{[2]func(){receive(a), receive(b)}, func() { a.Close(); b.Close() }}
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

func lastOf(s *Scope, n int, open func() (wait func(ctx context.Context), free func())) float64 {
	ctx, cancel := context.WithCancel(s.Ctx)
	defer cancel()
	var frees []func()
	ends := make([]time.Time, n)
	var waiting sync.WaitGroup
	for i := range n {
		wait, free := open()
		frees = append(frees, free)
		waiting.Go(func() {
			wait(ctx)
			ends[i] = time.Now()
		})
	}
	time.Sleep(50 * time.Millisecond) // until they wait
	runtime.GC()                      // that of the work before is not to fall into this
	start := time.Now()
	cancel()
	waiting.Wait()
	for _, free := range frees {
		free()
	}
	last := slices.MaxFunc(ends, time.Time.Compare)
	return float64(last.Sub(start)) / 1e3
}
