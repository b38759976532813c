package relay

import (
	"sync"

	"golang.org/x/sys/unix"
)

// A pipe is where the kernel keeps bytes on their way from one descriptor to
// another.
type pipe struct {
	r, w int
	size int
}

// pipes are empty pipes that directions share. There are some only while relays
// run, and not more than a few: a direction has one only while it has bytes to
// move, and making one costs little beside what it then moves.
var pipes struct {
	mu     sync.Mutex
	empty  []*pipe
	relays int
}

const maxEmptyPipes = 8

// holdPipes and letPipesGo are called when a relay begins and when it ends.
func holdPipes() {
	pipes.mu.Lock()
	pipes.relays++
	pipes.mu.Unlock()
}

func letPipesGo() {
	pipes.mu.Lock()
	defer pipes.mu.Unlock()
	if pipes.relays--; pipes.relays > 0 {
		return
	}
	for _, p := range pipes.empty {
		p.close()
	}
	pipes.empty = nil
}

// takePipe returns an empty pipe.
func takePipe() (*pipe, error) {
	pipes.mu.Lock()
	if n := len(pipes.empty); n > 0 {
		p := pipes.empty[n-1]
		pipes.empty = pipes.empty[:n-1]
		pipes.mu.Unlock()
		return p, nil
	}
	pipes.mu.Unlock()

	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, err
	}
	p := &pipe{r: fds[0], w: fds[1]}
	// A user may be out of memory for pipes; then it has what it has.
	unix.FcntlInt(uintptr(p.w), unix.F_SETPIPE_SZ, pipeSize)
	size, err := unix.FcntlInt(uintptr(p.w), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		p.close()
		return nil, err
	}
	p.size = size
	return p, nil
}

// giveBack takes back a pipe that is empty.
func (p *pipe) giveBack() {
	pipes.mu.Lock()
	defer pipes.mu.Unlock()
	if len(pipes.empty) < maxEmptyPipes {
		pipes.empty = append(pipes.empty, p)
		return
	}
	p.close()
}

// close drops what is in the pipe.
func (p *pipe) close() {
	unix.Close(p.r)
	unix.Close(p.w)
}
