package netstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"trigo"
)

// DialUnix connects to the Unix socket at path. On Linux a path that begins
// with @ is an abstract name, which has no file; "./@name" is a file.
//
// It hardly ever waits: without a server the error Is [fs.ErrNotExist] or
// [syscall.ECONNREFUSED] at once, and on Linux it Is [syscall.EAGAIN] while the
// server's backlog is full.
//
// Trio: trio.open_unix_socket.
func DialUnix(ctx context.Context, path string) (*Stream, error) {
	s, err := dialUnix(ctx, path)
	if err != nil {
		return nil, dialError("unix", path, err)
	}
	return s, nil
}

func dialUnix(ctx context.Context, path string) (*Stream, error) {
	if err := checkSocketPath(path); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, trigo.CancelError(ctx)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		err = connectError(ctx, err)
		// To the kernel a directory is a socket without a server.
		if info, statErr := os.Stat(path); statErr == nil && !isSocket(info) && !isAbstract(path) {
			return nil, notSocket(info, err)
		}
		return nil, err
	}
	// The kernel has the name that it was bound to, before a rename.
	s, err := newStream(conn, &extra{remote: unixAddr(path)})
	if err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

// UnixListenOptions are the choices of [ListenUnix]. The zero value is good,
// and is what nil means.
type UnixListenOptions struct {
	// Mode is the permissions of the socket file, whatever the umask; to
	// connect is to write. 0: what the umask leaves of 0777, and so mostly
	// connections from the same user.
	Mode fs.FileMode

	// Backlog is how many connections may wait to be accepted. The kernel has
	// a limit of its own, which is what 0 means.
	Backlog int

	// KeepFile leaves the socket file where it is when the listener is
	// closed, as it must be for a socket that was handed on to another
	// process.
	KeepFile bool
}

// ListenUnix listens on a Unix socket at path.
//
// The socket is made under a temporary name in the same directory, which must
// be writable, and moved to path when it is ready, with its final permissions
// and already listening. So a socket that is there is replaced without a moment
// in which clients are refused: the stale one of a server that died, and also
// the one of a server that runs. The latter goes on with the connections it
// has, which is how to restart a server under load. Anything else at path,
// a symbolic link too, is left alone, and the error Is [fs.ErrExist].
//
// Close removes the file if it is still the listener's own. Another process
// that replaces it between that look and the removal loses its file.
//
// The kernel limits the length of the name of a socket, to 107 bytes on Linux.
// The temporary name must fit as well, so path without its last element may have
// 14 bytes less.
//
// On Linux a path that begins with @ is an abstract name. It has no file, no
// mode, and cannot be replaced.
//
// Nothing is waited for but the file system: ctx must be alive when it begins, and
// makes no difference from then on. When it fails, path is as it was.
func ListenUnix(ctx context.Context, path string, opts *UnixListenOptions) (*Listener, error) {
	var o UnixListenOptions
	if opts != nil {
		o = *opts
	}
	l, err := o.listen(ctx, path)
	if err != nil {
		return nil, &trigo.OpError{Op: "listen", Layer: "unix " + path, Err: bare(err)}
	}
	return l, nil
}

func (o *UnixListenOptions) listen(ctx context.Context, path string) (*Listener, error) {
	if err := o.check(path); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, trigo.CancelError(ctx)
	}
	if isAbstract(path) {
		l, err := o.bind(ctx, path)
		if err != nil {
			return nil, err
		}
		return newListener(l, unixAddr(path), nil), nil
	}

	info, err := os.Lstat(path)
	switch {
	case err == nil && !isSocket(info):
		return nil, notSocket(info, fs.ErrExist)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	final, err := filepath.Abs(path) // Close may find the process in another directory
	if err != nil {
		return nil, err
	}

	// Nobody else gets into this directory: the socket listens before its
	// permissions can be set.
	private, err := os.MkdirTemp(parentDir(path), tempPattern)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	temp := private + "/" + tempName // filepath.Join would undo what parentDir did
	l, err := o.bind(ctx, temp)
	if err != nil {
		return nil, err
	}
	info, err = o.publish(temp, path)
	if err != nil {
		l.Close()
		return nil, err
	}
	var file *socketFile
	if !o.KeepFile {
		file = &socketFile{final, info}
	}
	return newListener(l, unixAddr(path), file), nil
}

// The temporary name is as short as can be. The pattern is extended by up to 10
// digits.
const (
	tempPattern = "."
	tempName    = "s"
	tempLength  = len("/" + tempPattern + "4294967295" + "/" + tempName)
)

func (o *UnixListenOptions) check(path string) error {
	if err := checkSocketPath(path); err != nil {
		return err
	}
	switch {
	case o.Mode&^fs.ModePerm != 0:
		return fmt.Errorf("mode %v is more than permissions", o.Mode)
	case o.Backlog < 0:
		return errNegativeBacklog
	case isAbstract(path) && o.Mode != 0:
		return errors.New("an abstract name has no mode")
	case isAbstract(path):
		return nil
	}
	if dir := len(parentDir(path)); dir > maxSocketPath-tempLength {
		return fmt.Errorf("the directory is too long for the name of a socket: %d bytes of %d", dir, maxSocketPath-tempLength)
	}
	return nil
}

// bind listens on a name that nobody uses yet.
func (o *UnixListenOptions) bind(ctx context.Context, name string) (*net.UnixListener, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "unix", name)
	if err != nil {
		return nil, err
	}
	u := l.(*net.UnixListener)
	u.SetUnlinkOnClose(false) // it would remove whatever has the name by then
	if err := setBacklog(u, o.Backlog); err != nil {
		u.Close()
		return nil, err
	}
	return u, nil
}

// publish gives the socket at temp its mode and its final name.
func (o *UnixListenOptions) publish(temp, path string) (fs.FileInfo, error) {
	if o.Mode != 0 {
		if err := os.Chmod(temp, o.Mode); err != nil {
			return nil, err
		}
	}
	info, err := os.Lstat(temp)
	if err != nil {
		return nil, err
	}
	return info, os.Rename(temp, path)
}

// socketFile is a file that a listener made.
type socketFile struct {
	path string
	info fs.FileInfo
}

// remove removes the file, unless another has taken its place.
func (f *socketFile) remove() error {
	if f == nil {
		return nil
	}
	now, err := os.Lstat(f.path)
	if err != nil || !os.SameFile(now, f.info) {
		return nil
	}
	return os.Remove(f.path)
}

// maxSocketPath is the longest name of a socket, which ends with a NUL.
const maxSocketPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// checkSocketPath finds what the kernel would only call an invalid argument.
func checkSocketPath(path string) error {
	switch {
	case path == "":
		return errors.New("empty path")
	case strings.Contains(path, "\x00"):
		return errors.New("the path contains a NUL byte")
	case path == "@" && isAbstract(path):
		return errors.New("empty abstract name")
	case len(path) > maxSocketPath:
		return fmt.Errorf("the path is too long for a socket: %d bytes of %d", len(path), maxSocketPath)
	}
	return nil
}

// parentDir returns the directory of path, such that no name in it can be taken for
// an abstract one.
func parentDir(path string) string {
	dir := filepath.Dir(path) // takes "./" away
	if isAbstract(dir) {
		dir = "./" + dir
	}
	return dir
}

// isAbstract follows package net.
func isAbstract(path string) bool { return runtime.GOOS == "linux" && path[0] == '@' }

func isSocket(info fs.FileInfo) bool { return info.Mode().Type() == fs.ModeSocket }

func notSocket(info fs.FileInfo, err error) error {
	kinds := map[fs.FileMode]string{0: "file", fs.ModeDir: "directory", fs.ModeSymlink: "symbolic link", fs.ModeNamedPipe: "named pipe"}
	kind := cmp.Or(kinds[info.Mode().Type()], "device")
	return fmt.Errorf("there is a %s at this path, not a socket: %w", kind, err)
}

func unixAddr(path string) net.Addr { return &net.UnixAddr{Name: path, Net: "unix"} }
