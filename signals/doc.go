// Package signals receives the signals that are sent to the process, as a
// stream of values, and loses none.
//
// [Open] gives a [Receiver] for some signals, and until it is closed they do
// nothing else. Compared with [os/signal], which puts them into a channel of
// the program and drops what does not fit:
//
//   - Nothing is dropped. A signal that arrives again before it was received
//     counts once, as it does in the kernel; but it counts.
//   - Receivers nest. The one opened last gets the signals that it asked for.
//     What it has not received when it is closed goes to the one before it.
//   - What is left when no receiver remains is raised again, for real, under
//     the disposition that was there before: a SIGTERM that nobody received
//     ends the process, and a signal that was ignored is ignored.
//
// [Shutdown] does what most programs want signals for.
//
// One thing the Go runtime does not allow: once SIGTSTP, SIGTTIN or SIGTTOU has
// been caught, by anyone in the program, it never stops the process again, not
// even when it is raised again.
//
// Other users of [os/signal] in the program are not disturbed: they get every
// signal as it arrives. So they see twice what is raised again.
//
// Trio: trio.open_signal_receiver.
package signals
