package netstream

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestModeOfAUnixSocket(t *testing.T) {
	path := filepath.Join(socketDir(t), "sock")
	for _, c := range []struct {
		umask      int
		mode, want fs.FileMode
	}{
		{0o022, 0, 0o755},
		{0o077, 0, 0o700},
		{0o000, 0o600, 0o600},
		{0o077, 0o666, 0o666},
		{0o777, 0o001, 0o001},
	} {
		old := syscall.Umask(c.umask)
		l, err := ListenUnix(t.Context(), path, &UnixListenOptions{Mode: c.mode})
		syscall.Umask(old)
		if c.umask&0o700 != 0 && err != nil && os.Getuid() != 0 {
			continue // not even the owner gets into the temporary directory
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(path)
		if err != nil || info.Mode() != fs.ModeSocket|c.want {
			t.Errorf("umask %o, mode %o: got %v, %v, want %o", c.umask, c.mode, info.Mode(), err, c.want)
		}
		l.Close(t.Context())
	}
}

func TestBacklogOfAUnixSocket(t *testing.T) {
	path := filepath.Join(socketDir(t), "sock")
	listenUnix(t, path, &UnixListenOptions{Backlog: 3})
	// Linux takes one more than the backlog, and then refuses.
	for i := range 10 {
		s, err := DialUnix(t.Context(), path)
		if err != nil {
			if err.Error() != "dial unix "+path+": resource temporarily unavailable" || i != 4 {
				t.Errorf("connection %d: %v", i, err)
			}
			return
		}
		defer s.Close(t.Context())
	}
	t.Error("ten connections fit in a backlog of 3")
}
