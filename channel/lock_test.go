package channel

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"
)

func TestALockIsHeldByOneAtATime(t *testing.T) {
	const each = 10_000
	var l lock
	n := 0 // the race detector looks, too
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range each {
				l.Lock()
				n++
				l.Unlock()
			}
		})
	}
	wg.Wait()
	if n != 8*each {
		t.Errorf("counted %d, want %d", n, 8*each)
	}
}

func TestWhoFindsALockTakenGetsItWhenItIsFree(t *testing.T) {
	var l lock
	for range 1000 {
		var wants, has atomic.Bool
		var wg sync.WaitGroup
		l.Lock()
		wg.Go(func() {
			wants.Store(true)
			l.Lock()
			has.Store(true)
			l.Unlock()
		})
		for !wants.Load() {
			runtime.Gosched()
		}
		if has.Load() {
			t.Fatal("two hold the lock")
		}
		l.Unlock()
		wg.Wait()
	}
}

func TestWhoWaitsLongForALockParks(t *testing.T) {
	var l lock
	has := false
	l.Lock()
	var wg sync.WaitGroup
	wg.Go(func() {
		l.Lock()
		has = true
		l.Unlock()
	})
	for !parked("channel.(*lock).contend") {
		runtime.Gosched()
	}
	if has {
		t.Error("two hold the lock")
	}
	l.Unlock()
	wg.Wait()
	if !has {
		t.Error("the one who waited never had the lock")
	}
}

// parked reports whether a goroutine is parked at a mutex below this function.
func parked(function string) bool {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	for g := range strings.SplitSeq(string(all), "\n\n") {
		head, stack, _ := strings.Cut(g, "\n")
		if strings.Contains(head, "[sync.Mutex.Lock") && strings.Contains(stack, function) {
			return true
		}
	}
	return false
}

// A core that begins in the middle of a cache line has its lock and what that guards
// in two, and a channel that many share is slower by a fifth.
func TestACoreBeginsWithACacheLine(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the padding is for 64 bits")
	}
	for range 10 {
		s, _ := Open[int](1)
		c := s.c
		if at := uintptr(unsafe.Pointer(c)) % 64; at != 0 {
			t.Errorf("a core of %d bytes begins at byte %d of a line", unsafe.Sizeof(*c), at)
		}
		if last := unsafe.Offsetof(c.receivers); last >= 64 {
			t.Errorf("the last field that every call needs is at byte %d", last)
		}
	}
}
