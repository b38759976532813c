package trigo

// For the tests of package trigo_test.
var (
	CapacityErrors = capacityErrors
	ErrStopped     = errStopped
)

// BufferSize is the memory that b holds.
func (b *BufferedReceiver) BufferSize() int { return len(b.buf) }
