package tlsstream

import "sync"

// Sizes of buffers. A connection has one only while there is something in it,
// or while it waits for something to put there; but for a tiny one, which it keeps.
const (
	maxPlaintext = 16 << 10              // of a record
	tinyBuffer   = 256                   // a few words, or the wait for them
	smallBuffer  = 512                   // a message, or the wait for one
	helloBuffer  = 4 << 10               // what a peer says in a handshake, at once
	recordBuffer = 18 << 10              // one record of the largest size
	readAhead    = 32 << 10              // what one receive may bring
	sendChunk    = 64 << 10              // how much data is encrypted and then sent at once
	chunkBuffer  = sendChunk + (4 << 10) // with what TLS adds to it
)

// A buffer is a piece of memory out of a pool, with bytes in the middle of it.
type buffer struct {
	space []byte
	r, w  int // space[r:w] are the bytes
}

func (b *buffer) bytes() []byte { return b.space[b.r:b.w] }

// add puts p behind the bytes, and makes the buffer larger if it must.
func (b *buffer) add(p []byte) {
	b.space = append(b.space[:b.w], p...)
	b.w = len(b.space)
	b.space = b.space[:cap(b.space)]
}

var (
	tinyBuffers   = poolOf(tinyBuffer)
	smallBuffers  = poolOf(smallBuffer)
	helloBuffers  = poolOf(helloBuffer)
	recordBuffers = poolOf(recordBuffer)
	readBuffers   = poolOf(readAhead)
	chunkBuffers  = poolOf(chunkBuffer)
)

func poolOf(size int) *sync.Pool {
	return &sync.Pool{New: func() any { return &buffer{space: make([]byte, size)} }}
}

// getBuffer returns an empty buffer of the smallest size that has room for n
// bytes; of the largest, if none has.
func getBuffer(n int) *buffer {
	pool := chunkBuffers
	switch {
	case n <= tinyBuffer:
		pool = tinyBuffers
	case n <= smallBuffer:
		pool = smallBuffers
	case n <= helloBuffer:
		pool = helloBuffers
	case n <= recordBuffer:
		pool = recordBuffers
	case n <= readAhead:
		pool = readBuffers
	}
	return pool.Get().(*buffer)
}

// putBuffer takes a buffer back. One that add has made larger is left to the
// collector.
func putBuffer(b *buffer) {
	b.r, b.w = 0, 0
	switch len(b.space) {
	case tinyBuffer:
		tinyBuffers.Put(b)
	case smallBuffer:
		smallBuffers.Put(b)
	case helloBuffer:
		helloBuffers.Put(b)
	case recordBuffer:
		recordBuffers.Put(b)
	case readAhead:
		readBuffers.Put(b)
	case chunkBuffer:
		chunkBuffers.Put(b)
	}
}
