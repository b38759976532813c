// Package nursery is structured concurrency: a goroutine started in a nursery
// ends before the call that opened the nursery returns. It stands alone and can
// take the place of errgroup.
//
//	err := nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
//		n.Go(func(ctx context.Context) error { return produce(ctx, ch) })
//		n.Go(func(ctx context.Context) error { return consume(ctx, ch) })
//		return nil
//	})
//
// # Errors
//
// The first error, of the body or of a child, cancels the context of all the
// others; [Run] waits for them and returns every error. What it leaves out is
// the noise: the errors with which the others answer to that very cancel. One
// error is returned as it is, several as an [*Errors].
//
// # Panics
//
// A panic in a child cancels the nursery and is raised again by Run, in the
// goroutine of the parent, as a [*PanicError] that carries the child's stack.
// So a panic can be recovered where the nursery was opened, and no goroutine
// is left running when it is. [runtime.Goexit] in a child (that is what
// testing.T.FailNow does) likewise ends the parent's goroutine.
//
// Trio: trio.open_nursery, Nursery.start_soon, Nursery.start, trio.CancelScope,
// trio.move_on_after, trio.fail_after.
package nursery
