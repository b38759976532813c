package tlsstream

import "sync"

// Sizes of buffers. A connection has one only while there is something in it,
// or while it waits for something to put there.
const (
	maxPlaintext = 16 << 10              // of a record
	smallBuffer  = 1 << 10               // a message, or the wait for one
	recordBuffer = 18 << 10              // one record of the largest size
	readAhead    = 32 << 10              // what one receive may bring
	sendChunk    = 64 << 10              // how much data is encrypted and then sent at once
	chunkBuffer  = sendChunk + (4 << 10) // with what TLS adds to it
)

// The pools hold pointers to arrays: to put a slice into an any would be an
// allocation each time.
var (
	smallBuffers  = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	recordBuffers = sync.Pool{New: func() any { return new([recordBuffer]byte) }}
	readBuffers   = sync.Pool{New: func() any { return new([readAhead]byte) }}
	chunkBuffers  = sync.Pool{New: func() any { return new([chunkBuffer]byte) }}
)

// getBuffer returns a buffer of the smallest size that has room for n bytes; of
// the largest, if none has.
func getBuffer(n int) []byte {
	switch {
	case n <= smallBuffer:
		return smallBuffers.Get().(*[smallBuffer]byte)[:]
	case n <= recordBuffer:
		return recordBuffers.Get().(*[recordBuffer]byte)[:]
	case n <= readAhead:
		return readBuffers.Get().(*[readAhead]byte)[:]
	default:
		return chunkBuffers.Get().(*[chunkBuffer]byte)[:]
	}
}

// putBuffer takes a buffer back. One that append has made larger is left to the
// collector.
func putBuffer(b []byte) {
	switch b = b[:cap(b)]; len(b) {
	case smallBuffer:
		smallBuffers.Put((*[smallBuffer]byte)(b))
	case recordBuffer:
		recordBuffers.Put((*[recordBuffer]byte)(b))
	case readAhead:
		readBuffers.Put((*[readAhead]byte)(b))
	case chunkBuffer:
		chunkBuffers.Put((*[chunkBuffer]byte)(b))
	}
}
