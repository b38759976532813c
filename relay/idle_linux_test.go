package relay_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trigo"
	"trigo/netstream"
	"trigo/relay"
)

// waiting makes connections whose other ends are in the backlog of a listener,
// where they take no descriptor, until they are accepted.
type waiting struct {
	t         *testing.T
	listeners []*net.UnixListener
	dialled   int
}

// perListener is less than any system's limit of a backlog.
const perListener = 100

func (w *waiting) dial() *netstream.Stream {
	w.t.Helper()
	if w.dialled%perListener == 0 {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fmt.Sprintf("%s/%d", w.t.TempDir(), w.dialled), Net: "unix"})
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { l.Close() })
		w.listeners = append(w.listeners, l)
	}
	l := w.listeners[w.dialled/perListener]
	w.dialled++
	c, err := net.DialUnix("unix", nil, l.Addr().(*net.UnixAddr))
	if err != nil {
		w.t.Fatal(err)
	}
	return adopt(w.t, c)
}

// accept accepts the other end of the i-th connection, if they are accepted in
// order.
func (w *waiting) accept(i int) *netstream.Stream {
	w.t.Helper()
	c, err := w.listeners[i/perListener].Accept()
	if err != nil {
		w.t.Fatal(err)
	}
	s := adopt(w.t, c)
	w.t.Cleanup(func() { trigo.CloseForcefully(s) })
	return s
}

type usage struct {
	goroutines  int
	heap, stack uint64
}

func use() usage {
	runtime.GC() // twice, for what is in a sync.Pool
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{runtime.NumGoroutine(), m.HeapAlloc, m.StackInuse}
}

// pipesOpen counts the ends of pipes.
func pipesOpen(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if target, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(target, "pipe:") {
			n++
		}
	}
	return n
}

// 10,000 pairs are 20,000 descriptors, not counting the peers, who wait in
// backlogs but for a few.
func TestIdlePairsHoldTwoGoroutinesAndNoBuffers(t *testing.T) {
	pairs, active := 500, 50
	if os.Getenv("TRIGO_SOAK") != "" {
		pairs = 10_000
	}
	pairs = min(pairs, descriptors(t, 2*pairs+2*pairs/perListener+4*active+100)*pairs/(2*pairs+2*pairs/perListener+4*active+100))

	clients, servers := &waiting{t: t}, &waiting{t: t}
	type pair struct{ a, b *netstream.Stream }
	all := make([]pair, pairs)
	for i := range all {
		all[i] = pair{clients.dial(), servers.dial()}
	}
	pipesBefore := pipesOpen(t)
	before := use()

	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for _, p := range all {
		running.Go(func() { relay.Run(ctx, p.a, p.b, &relay.Options{Idle: time.Hour}) })
	}
	// Some have moved much before they were idle.
	text := string(noise(17, 1<<20))
	for i := range active {
		client, server := clients.accept(i), servers.accept(i)
		go client.SendAll(ctx, []byte(text))
		wantReceive(t, server, text, nil)
		go server.SendAll(ctx, []byte(text))
		wantReceive(t, client, text, nil)
	}

	// What has just woken up gets back to its wait.
	var now usage
	var perDirection uint64
	for range 200 {
		now = use()
		perDirection = (max(now.heap, before.heap) - before.heap) / uint64(2*pairs)
		if perDirection < 4<<10 && now.goroutines-before.goroutines == 2*pairs {
			break
		}
		runtime.Gosched()
	}
	goroutines := now.goroutines - before.goroutines
	stack := (now.stack - before.stack) / uint64(goroutines)
	t.Logf("%d idle pairs: %d goroutines, %d bytes of heap per direction, %d of stack", pairs, goroutines, perDirection, stack)
	if goroutines != 2*pairs {
		t.Errorf("%d goroutines, want 2 per pair", goroutines)
	}
	if perDirection >= 4<<10 {
		t.Errorf("%d bytes of heap per direction: that is a buffer", perDirection)
	}
	if n := pipesOpen(t) - pipesBefore; n > 16 {
		t.Errorf("%d ends of pipes are open, want only those that are shared", n)
	}
}

// descriptors sees to it that n can be open, or says how many.
func descriptors(t *testing.T, n int) int {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if uint64(n) <= before.Cur {
		return n
	}
	more := unix.Rlimit{Cur: uint64(n), Max: max(before.Max, uint64(n))}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &more); err != nil {
		t.Logf("%d descriptors are allowed, not %d: %v", before.Cur, n, err)
		return int(before.Cur)
	}
	t.Cleanup(func() { unix.Setrlimit(unix.RLIMIT_NOFILE, &before) })
	return n
}
