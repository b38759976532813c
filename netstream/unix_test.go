package netstream

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"trigo"
	"trigo/nursery"
	"trigo/trigotest"
)

func listenUnix(t *testing.T, path string, opts *UnixListenOptions) *Listener {
	t.Helper()
	l, err := ListenUnix(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trigo.CloseForcefully(l) })
	return l
}

func dialUnixOne(t *testing.T, path string) *Stream {
	t.Helper()
	s, err := DialUnix(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trigo.CloseForcefully(s) })
	return s
}

func TestUnix(t *testing.T) {
	trigotest.LeakCheck(t)
	dir := socketDir(t)
	path := filepath.Join(dir, "sock")
	l := listenUnix(t, path, nil)
	c := dialUnixOne(t, path)
	s := acceptOne(t, l)
	talk(t, c, s)
	talk(t, s, c)

	// All go by the final name, not by the one the socket was bound to.
	for name, got := range map[string]string{
		"the listener":                    l.Addr().String(),
		"the peer of the client":          c.RemoteAddr().String(),
		"the local address of the server": s.LocalAddr().String(),
	} {
		if got != path {
			t.Errorf("%s is %q, want %q", name, got, path)
		}
	}
	for _, layer := range []interface{ String() string }{l, c, s} {
		if layer.String() != "unix "+path {
			t.Errorf("%T calls itself %q", layer, layer)
		}
	}
	if got := dirNames(t, dir); !slices.Equal(got, []string{"sock"}) {
		t.Errorf("the directory has %v", got)
	}
	for range 2 {
		if err := l.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if got := dirNames(t, dir); len(got) > 0 {
		t.Errorf("after Close the directory has %v", got)
	}
}

func TestUnixRelativePath(t *testing.T) {
	dir := socketDir(t)
	t.Chdir(dir)
	l := listenUnix(t, "sock", nil)
	dialUnixOne(t, "sock")
	t.Chdir("/") // Close must find the file all the same
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := dirNames(t, dir); len(got) > 0 {
		t.Errorf("after Close the directory has %v", got)
	}
}

// Trio: test_open_bad_socket.
func TestDialUnixWithoutServer(t *testing.T) {
	trigotest.LeakCheck(t)
	dir := socketDir(t)
	path := filepath.Join(dir, "sock")
	_, err := DialUnix(t.Context(), path)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	if want := "dial unix " + path + ": no such file or directory"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}

	l := listenUnix(t, path, &UnixListenOptions{KeepFile: true})
	l.Close(t.Context())
	if _, err := DialUnix(t.Context(), path); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("with a stale file: got %v, want ECONNREFUSED", err)
	}

	_, err = DialUnix(t.Context(), dir)
	checkRefusal(t, err, "dial", "unix "+dir, "there is a directory at this path, not a socket")
}

func TestListenUnixReplacesAStaleSocket(t *testing.T) {
	path := filepath.Join(socketDir(t), "sock")
	listenUnix(t, path, &UnixListenOptions{KeepFile: true}).Close(t.Context())
	l := listenUnix(t, path, nil)
	talk(t, dialUnixOne(t, path), acceptOne(t, l))
}

// Restarting a server again and again refuses no client.
func TestListenUnixReplacesALiveSocketWithoutAGap(t *testing.T) {
	trigotest.LeakCheck(t)
	dir := socketDir(t)
	path := filepath.Join(dir, "sock")
	old := listenUnix(t, path, nil)
	err := nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
		var over atomic.Bool
		n.Go(func(ctx context.Context) error {
			for !over.Load() {
				s, err := DialUnix(ctx, path)
				switch {
				case err == nil:
					s.Close(ctx)
				case !errors.Is(err, syscall.EAGAIN): // the backlog is full: there is a listener
					return err
				}
			}
			return nil
		})
		defer over.Store(true)
		for range 50 {
			next, err := ListenUnix(ctx, path, nil)
			if err != nil {
				return err
			}
			if err := old.Close(ctx); err != nil {
				return err
			}
			old = next
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	old.Close(t.Context())
	if got := dirNames(t, dir); len(got) > 0 {
		t.Errorf("after Close the directory has %v", got)
	}
}

// Close removes only the listener's own file.
func TestListenUnixLeavesTheFileOfASuccessor(t *testing.T) {
	path := filepath.Join(socketDir(t), "sock")
	old := listenUnix(t, path, nil)
	listenUnix(t, path, nil)
	old.Close(t.Context())
	dialUnixOne(t, path)
}

func TestListenUnixWhenTheFileIsGone(t *testing.T) {
	path := filepath.Join(socketDir(t), "sock")
	l := listenUnix(t, path, nil)
	os.Remove(path)
	if err := l.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestListenUnixLeavesOtherThingsAlone(t *testing.T) {
	trigotest.LeakCheck(t)
	dir := socketDir(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	os.WriteFile(at("file"), []byte("precious"), 0o600)
	os.Mkdir(at("directory"), 0o700)
	listenUnix(t, at("target"), nil)
	os.Symlink(at("target"), at("symbolic link"))
	before := dirNames(t, dir)
	for _, kind := range []string{"file", "directory", "symbolic link"} {
		_, err := ListenUnix(t.Context(), at(kind), nil)
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: got %v, want fs.ErrExist", kind, err)
		}
		checkRefusal(t, err, "listen", "unix "+at(kind), "there is a "+kind+" at this path, not a socket")
	}
	if after := dirNames(t, dir); !slices.Equal(after, before) {
		t.Errorf("the directory has %v, before it had %v", after, before)
	}
}

func TestListenUnixFailsCleanly(t *testing.T) {
	trigotest.LeakCheck(t)
	dir := socketDir(t)
	if _, err := ListenUnix(t.Context(), filepath.Join(dir, "no", "sock"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a directory that does not exist: %v", err)
	}
	// The last step fails: the name is free to lstat(2) and no good to rename(2).
	o := new(UnixListenOptions)
	l, err := o.bind(t.Context(), filepath.Join(dir, "temp"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := o.publish(filepath.Join(dir, "temp"), dir); err == nil {
		t.Error("a directory was replaced by a socket")
	}
}

func TestBadUnixPaths(t *testing.T) {
	long := "/" + strings.Repeat("d", maxSocketPath)
	for path, fault := range map[string]string{
		"":           "empty path",
		"a\x00b":     "NUL byte",
		"\x00b":      "NUL byte",
		long:         "too long for a socket",
		long + "@":   "too long for a socket",
		"@" + "\x00": "NUL byte",
	} {
		_, err := DialUnix(t.Context(), path)
		checkRefusal(t, err, "dial", "unix "+path, fault)
		_, err = ListenUnix(t.Context(), path, nil)
		checkRefusal(t, err, "listen", "unix "+path, fault)
	}
	_, err := ListenUnix(t.Context(), "/tmp/s", &UnixListenOptions{Mode: fs.ModeSetuid | 0o600})
	checkRefusal(t, err, "listen", "unix /tmp/s", "more than permissions")
	_, err = ListenUnix(t.Context(), "/tmp/s", &UnixListenOptions{Backlog: -1})
	checkRefusal(t, err, "listen", "unix /tmp/s", "negative Backlog")
}

// The longest directory that is allowed works, and one byte more is refused
// before anything is made.
func TestUnixPathLimit(t *testing.T) {
	base := socketDir(t)
	dir := base + "/" + strings.Repeat("d", maxSocketPath-tempLength-len(base)-1)
	for _, d := range []string{dir, dir + "d"} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	name := strings.Repeat("s", tempLength-1)
	for range 20 { // the length of the temporary name varies
		listenUnix(t, dir+"/"+name, nil)
	}
	dialUnixOne(t, dir+"/"+name)
	_, err := ListenUnix(t.Context(), dir+"d/s", nil)
	checkRefusal(t, err, "listen", "unix "+dir+"d/s", "the directory is too long")
	if got := dirNames(t, dir+"d"); len(got) > 0 {
		t.Errorf("the refused directory has %v", got)
	}
}

func TestUnixDirectoryThatBeginsWithAt(t *testing.T) {
	t.Chdir(socketDir(t))
	if err := os.Mkdir("@dir", 0o700); err != nil {
		t.Fatal(err)
	}
	listenUnix(t, "./@dir/sock", nil)
	dialUnixOne(t, "./@dir/sock")
	if got := dirNames(t, "@dir"); !slices.Equal(got, []string{"sock"}) {
		t.Errorf("the directory has %v", got)
	}
}

func TestAbstractUnixSocket(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("abstract names are for Linux")
	}
	trigotest.LeakCheck(t)
	name := "@trigo-test-" + filepath.Base(socketDir(t))
	l := listenUnix(t, name, nil)
	c := dialUnixOne(t, name)
	s := acceptOne(t, l)
	talk(t, c, s)
	if c.String() != "unix "+name || s.String() != "unix "+name || l.Addr().String() != name {
		t.Errorf("client %v, server %v, listener %v", c, s, l)
	}
	if _, err := ListenUnix(t.Context(), name, nil); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listening twice: %v", err)
	}
	if _, err := os.Lstat(name); err == nil {
		t.Error("there is a file")
	}
	_, err := ListenUnix(t.Context(), name, &UnixListenOptions{Mode: 0o600})
	checkRefusal(t, err, "listen", "unix "+name, "no mode")
	_, err = DialUnix(t.Context(), "@")
	checkRefusal(t, err, "dial", "unix @", "empty abstract name")
	l.Close(t.Context())
	if _, err := DialUnix(t.Context(), name); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Close: %v", err)
	}
}

func TestFromUnixListener(t *testing.T) {
	path := filepath.Join(socketDir(t), "sock")
	src, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := FromListener(src)
	if err != nil {
		t.Fatal(err)
	}
	talk(t, dialUnixOne(t, path), acceptOne(t, l))
	l.Close(t.Context())
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("package net would have removed the file: %v", err)
	}

	packets, err := net.Listen("unixpacket", path)
	if err != nil {
		t.Skipf("no unixpacket here: %v", err)
	}
	defer packets.Close()
	if _, err := FromListener(packets); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a listener for packets: %v", err)
	}
}
