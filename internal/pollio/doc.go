// Package pollio is the only place where a context meets the kernel: one
// pollable descriptor, with a ctx for each call.
//
// # The problem
//
// Go's runtime parks a goroutine that waits for a descriptor and wakes it for
// three reasons: the descriptor is ready, it was closed, or its deadline has
// passed. A context is none of the three. What is usually done about it costs
// too much (a goroutine for each call, or a context.AfterFunc for each call) or
// destroys the stream (close it on cancel).
//
// # The rule
//
//  1. Try the system call first. When it need not wait, the ctx was looked at
//     once and nothing was registered: the price over a raw net.Conn is two
//     atomic operations.
//  2. Only when the call has to wait (EAGAIN), register a context.AfterFunc
//     that sets a deadline in the past, try once more, and park. The runtime
//     then wakes the goroutine as it would for any deadline. No byte is lost,
//     because the system call itself is never interrupted. To register, the
//     call leaves the runtime's wait loop: a goroutine that registers from within
//     it keeps, while it waits, a stack twice as large. Where every call brings
//     another ctx it stays inside, and saves the second try.
//  3. A registration costs a few hundred nanoseconds and is made for each
//     Done channel, not for each call: when a call brings the Done channel of
//     the call before it, the registration is kept for the next one too. So a
//     server that reads in a loop under one ctx registers once. When the
//     channel changes from call to call, as with a timeout made for each call,
//     the registration is dropped at the end of the call: kept longer, it
//     would fire for nothing when the caller releases that ctx.
//  4. All that wait for one Done channel share one context.AfterFunc (alarm.go).
//     One each would be a goroutine each when the ctx ends, and all of these
//     would then stand in line for the lock of the ctx, which is held until
//     the last is started.
//  5. The alarm wakes a half under a lock, and tells it so: whoever leaves sees
//     that it has been woken, or will not be any more. Only then is the deadline
//     cleared. Otherwise a late callback would poison the next call. Between two
//     calls the deadline is always clear, or the half knows that it has to ask.
//
// Registrations are compared by Done channel and never by context: contexts may
// be of a type that == panics on, and many contexts made with
// context.WithValue share one channel and so one registration.
//
// # What was rejected
//
//   - Copying ctx.Deadline into the descriptor: it knows nothing of a manual
//     cancel, and moves a runtime timer on each call.
//   - Waiting without a try of the system call: readiness is edge-triggered,
//     an edge that was consumed does not come again. Whatever waits must first
//     have seen EAGAIN with its own eyes.
//   - (*os.File).Fd and net's File: they set the descriptor to blocking mode.
//   - Taking any deadline error for a cancel: only ctx.Err decides.
//
// # Halves
//
// A descriptor has a reading and a writing half. Each serves one call at a
// time; a second gets trigo.ErrBusy at once. What a call under way needs, with
// the closure that the runtime's interface wants, comes out of a pool: a call
// allocates nothing, and a descriptor that waits for its next call keeps 120
// bytes.
package pollio
