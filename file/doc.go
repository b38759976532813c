// Package file is pathlib and the files of Python's io, with a ctx on every call
// that can wait.
//
// [Path] names a file and does what pathlib does with names and trees. [Open] gives a
// [File], which is also a [trigo.Stream]: a FIFO, a terminal or a regular file can take
// part wherever a socket can. [OpenText] adds encodings, newlines and lines, and
// [NewTextFile] does so for any stream. [Stdin], [Stdout] and [Stderr] are the standard
// streams, and can be cancelled. [WriteAtomic] replaces a file in one step, [Temp] and
// [TempDir] are gone when their function returns, and no path leads out of a
// [Rooted]. [Wrap] adopts anybody's reader or writer.
//
// # What a ctx can do about a file
//
// A FIFO, a terminal or a socket is waited for by the poller of the runtime: a cancel
// wakes the call at once and nothing is lost.
//
// A call on a regular file or a directory waits for nobody but the disk, and no system
// lets anybody take such a call back. ctx is looked at before it, and between the
// pieces of a long one; a call under way ends as fast as the disk does. It is made in
// the goroutine of the caller, and holds a thread of the system. So there is a limit to
// how many of them are under way at a time, see [SetLimit]: the others stand in line,
// and that wait ends with their ctx.
//
// # Errors
//
// What the system said is wrapped in a [trigo.OpError] that names the operation and the
// file, so that errors.Is(err, fs.ErrNotExist) and the like work. Bad input is told
// before any I/O, Is [fs.ErrInvalid], and the error names the argument. What a file
// cannot do is [errors.ErrUnsupported]. On a closed file everything is
// [trigo.ErrClosed].
//
// Trio: trio.Path, trio.open_file, trio.wrap_file.
package file
