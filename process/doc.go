// Package process runs other programs: children that cannot be leaked, hung or
// half killed, and whose pipes are streams.
//
//   - [Run] runs a command to its end and returns what it said.
//   - [Supervise] runs it in a nursery: its [Process] can be talked to while it
//     runs, and is gone when the nursery is.
//   - [Open] starts a child that nobody supervises and that may outlive us.
//
// A command is an [exec.Cmd]-like struct, [Command]; its zero values are the
// careful ones: the input is empty, the output goes where ours goes, and a
// status other than 0 is an error.
//
// # The end of a child
//
// Run, and the function of Supervise, return when the child has ended, whatever
// happens, and then nothing of it is left: no zombie, no goroutine, no
// descriptor, and no process of its group.
//
//   - When ctx ends, the whole group gets SIGTERM, and SIGKILL after
//     [Command.Grace]. Output written before and meanwhile is kept.
//   - When the child has ended by itself, its captured output is read to the
//     end. If some descendant holds a pipe open, that is waited for no longer than
//     [Command.WaitDelay]. Then what is left of the group gets SIGKILL.
//   - A descendant that made a group or a session of its own is out of reach. As
//     far as it can be found (it holds a pipe, or was below the child when the
//     cancel came) it is told in [Completed.Survivors].
//
// If this program itself is killed, its children go on. What they then do with
// broken pipes is their business.
//
// # Groups and terminals
//
// A supervised child leads a process group of its own, or it could not be ended
// with all its descendants. Two things follow on a terminal. Ctrl-C there does
// not reach the child: it reaches us, and we cancel. And a child that reads the
// terminal is stopped by it (SIGTTIN), as a background job of a shell is.
// Therefore a child whose input is [Inherit]ed from a terminal stays in our
// group, unless [Command.Group] says otherwise; then only the child itself is
// signalled.
//
// # Platforms
//
// On Linux a Wait holds no thread and no goroutine beyond the first 2 ms of a
// child: its pidfd is waited for like a socket. On other Unix systems, and where there are no pidfds, the
// kernel is asked again and again, in intervals that grow from 1 to 50 ms.
// Everywhere else starting a process fails with [errors.ErrUnsupported].
//
// Trio: trio.run_process, trio.Process, trio.lowlevel.open_process.
package process
