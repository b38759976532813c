package channel

import "sync"

// lock is a mutex for critical sections of some ten nanoseconds that many want
// again and again.
//
// A sync.Mutex parks who finds it taken, and at once if other goroutines are ready
// to run on the processor, which is always so where many share a channel. To park
// and to be woken takes many times as long as such a section, and those who come
// meanwhile park as well: more than half of the time of a shared buffer went there.
// The locks inside the runtime, such as that of a native channel, wait on the
// processor first.
//
// So does this one, without looking at it meanwhile: each look takes the cache line
// away from the holder, who passes many values when left alone. The first pause is
// for a holder that is about to be done, the last for a crowd. After some
// microseconds in all, the holder has probably lost its processor, or the crowd is
// too big, and sync.Mutex does the rest, with its care that nobody starves.
//
// Only the lock spins. Who waits for a value, or for room, parks at once (see line).
type lock struct {
	sync.Mutex
}

// The pauses, in turns of an empty loop: a processor does one to four in a
// nanosecond. Were they optimized away, the lock would only be slower.
const (
	firstPause = 250
	lastPause  = 16_000
	pauseGrows = 4
)

// Lock is too much for the compiler to inline. Send and Receive have its body in
// its place: the two calls that are saved were a sixth of what a value took that
// nobody waited for.
func (l *lock) Lock() {
	if !l.TryLock() {
		l.contend()
	}
}

// contend is Lock once the lock was found taken.
func (l *lock) contend() {
	for pause := firstPause; pause <= lastPause; pause *= pauseGrows {
		for range pause {
		}
		if l.TryLock() {
			return
		}
	}
	l.Mutex.Lock()
}
