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
//     anybody's stream;
//     [CheckListener] and [CheckChannel] do so for the others.
//   - The cancel sweep: [SweepCancel] runs a scenario again and again, cancelled
//     at another moment each time, until there was every one.
//   - Faults: [InjectFaults] makes a stream slow, cut, reset or wrong, to a plan
//     with a seed, and fails a test in which a planned fault never fired.
//   - [Sequencer] makes goroutines take turns.
//   - [OpenStreamToSocketListener] connects to a listener, wherever it listens.
//   - [LeakCheck] and [Main] fail a test, or a whole package of tests, that
//     leaves goroutines or descriptors behind.
//
// Everything here that does no I/O with the kernel works inside a bubble of
// [testing/synctest]: it waits only on channels made by its constructor and
// holds no lock while it waits. Package trigotest/vnet is a whole network of that
// kind. The guide docs/testing-your-stream.md shows all of it at work.
//
// Trio: trio.testing.
package trigotest
