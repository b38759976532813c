// Package trigotest helps to test programs that use trigo, and streams that
// want to be one of trigo's.
//
//   - Memory streams: [NewMemoryPair] makes two connected streams with
//     unbounded buffers, [NewLockstepPair] two with no buffer at all. The
//     halves they are made of, [MemorySendStream] and [MemoryReceiveStream],
//     have hooks, and can be used alone to see what a program sends and to
//     feed it what it is to receive.
//   - Conformance: [CheckOneWayStream], [CheckTwoWayStream] and
//     [CheckHalfCloseableStream] apply the contracts of package trigo to
//     anybody's stream.
//   - [OpenStreamToSocketListener] connects to a listener, wherever it listens.
//   - [LeakCheck] and [Main] fail a test, or a whole package of tests, that
//     leaves goroutines or descriptors behind.
//
// Everything here that does no I/O with the kernel works inside a bubble of
// [testing/synctest]: it waits only on channels made by its constructor and
// holds no lock while it waits.
//
// Trio: trio.testing.
package trigotest
