package process

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"trigo/internal/fdstream"
)

// connectTerminal makes a terminal, gives its slave side to the child as all
// three, and keeps the master.
func (w *wiring) connectTerminal(size Size, extra []*os.File) error {
	master, slave, err := openTerminal(size)
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	w.lent = append(w.lent, slave)
	layer := layerName("terminal of " + w.command)
	s, err := fdstream.New(master, layer)
	if err != nil {
		master.Close()
		return fmt.Errorf("terminal: %w", err)
	}
	w.send = &keyboard{sendPipe: sendPipe{s: s, layer: layer}}
	w.receive[1] = &screen{receivePipe{s: s, layer: layer}}
	for _, name := range []string{"stdin", "stdout", "stderr"} {
		w.files = append(w.files, childFile{name, slave})
	}
	return w.extra(extra)
}

func openTerminal(size Size) (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := -1
	err = control(master, func(m int) error {
		if err := unix.IoctlSetPointerInt(m, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		if size != (Size{}) {
			ws := &unix.Winsize{Row: size.Rows, Col: size.Cols}
			if err := unix.IoctlSetWinsize(m, unix.TIOCSWINSZ, ws); err != nil {
				return err
			}
		}
		// The slave by way of the master: its name may mean something else here,
		// or nothing.
		n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(m), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
		if errno != 0 {
			return errno
		}
		fd = int(n)
		return nil
	})
	if err != nil {
		master.Close()
		return nil, nil, err
	}
	return master, os.NewFile(uintptr(fd), "terminal"), nil
}
