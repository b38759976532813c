//go:build unix

package fdstream

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"trigo"
)

// adopt returns a stream over fd and the function that gives fd back.
func adopt(fd int, name layerName, dir direction) (trigo.Stream, func() error, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, nil, err
	}
	replaceIt := func() error { return replace(fd) }
	kind := st.Mode & unix.S_IFMT
	if kind == unix.S_IFREG || kind == unix.S_IFDIR {
		return inlineOn(fd, name), replaceIt, nil
	}
	if kind != unix.S_IFSOCK {
		if own, err := reopen(fd, dir); err == nil {
			if s := polled(own, name); s != nil {
				return s, replaceIt, nil
			}
			return inlineOn(fd, name), replaceIt, nil
		}
	}

	own, l, err := borrow(fd, &st)
	if err != nil {
		return nil, nil, err
	}
	s := polled(own, name)
	if s == nil {
		l.giveBack(fd)
		return inlineOn(fd, name), replaceIt, nil
	}
	return s, func() error {
		if l.giveBack(fd) && dir == sends {
			// The stream for receiving keeps the socket open, so closing says nothing.
			unix.Shutdown(fd, unix.SHUT_WR)
		}
		return replace(fd)
	}, nil
}

// polled returns a stream that owns fd, or nil, and closes fd, if it cannot be
// polled.
func polled(fd int, name layerName) *Stream {
	f := os.NewFile(uintptr(fd), name.String())
	s, err := New(f, name)
	if err != nil {
		f.Close()
		return nil
	}
	return s
}

// inlineOn returns an inline stream. It does not use an os.File, which for
// descriptor 1 turns a broken pipe into a deadly signal.
func inlineOn(fd int, name layerName) *inline {
	return &inline{
		layer:  name,
		read:   func(p []byte) (int, error) { return retry(func() (int, error) { return unix.Read(fd, p) }) },
		write:  func(p []byte) (int, error) { return retry(func() (int, error) { return unix.Write(fd, p) }) },
		readBy: func(op func(sysfd int) error) error { return op(fd) },
	}
}

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// replace puts /dev/null in the place of fd, or closes it where there is none.
func replace(fd int) error {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return unix.Close(fd)
	}
	defer unix.Close(null)
	return unix.Dup2(null, fd)
}

// A loan is an open file description on which O_NONBLOCK is set for our sake.
type loan struct {
	id      fileID
	holders int
	restore bool // it was not set before
}

// fileID identifies a file. For a socket it identifies the description too.
type fileID struct{ dev, ino uint64 }

var loans = struct {
	mu   sync.Mutex
	open map[fileID]*loan
}{open: make(map[fileID]*loan)}

// borrow returns a duplicate of fd whose description does not block.
func borrow(fd int, st *unix.Stat_t) (int, *loan, error) {
	loans.mu.Lock() // from before the look at what is to be restored
	defer loans.mu.Unlock()
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return -1, nil, err
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err == nil {
		err = unix.SetNonblock(own, true)
	}
	if err != nil {
		unix.Close(own)
		return -1, nil, err
	}
	id := fileID{uint64(st.Dev), uint64(st.Ino)}
	l := loans.open[id]
	if l == nil {
		l = &loan{id: id, restore: flags&unix.O_NONBLOCK == 0}
		loans.open[id] = l
	}
	l.holders++
	return own, l, nil
}

// giveBack ends one stream's hold, and reports whether another still has one.
// The last one makes the description as it was.
func (l *loan) giveBack(fd int) (shared bool) {
	loans.mu.Lock()
	defer loans.mu.Unlock()
	l.holders--
	if l.holders > 0 {
		return true
	}
	delete(loans.open, l.id)
	if l.restore {
		unix.SetNonblock(fd, false)
	}
	return false
}
