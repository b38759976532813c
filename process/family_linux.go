package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"trigo/internal/pollio"
)

// A relative is a process that was once seen. The time of its start tells it
// from a later one with its number.
type relative struct {
	pid   int
	start uint64
}

// lives reports whether r still runs.
func (r relative) lives() bool {
	s, ok := readStat(r.pid)
	return ok && s.start == r.start && !s.dead
}

// stat is a part of /proc/PID/stat.
type stat struct {
	parent, group int
	dead          bool // a zombie, or on the way out
	start         uint64
}

func readStat(pid int) (s stat, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, false
	}
	// The second field is a name in parentheses, and may contain anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return stat{}, false
	}
	number := func(field int) uint64 { // counted from 1, as in proc(5)
		n, _ := strconv.ParseUint(string(fields[field-3]), 10, 64)
		return n
	}
	state := fields[0][0]
	return stat{
		parent: int(number(4)),
		group:  int(number(5)),
		dead:   state == 'Z' || state == 'X' || state == 'x',
		start:  number(22),
	}, true
}

// allProcesses calls visit for every process that can be seen.
func allProcesses(visit func(pid int)) {
	dir, err := os.Open("/proc")
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			visit(pid)
		}
	}
}

// hasLiveMember reports whether the group pgid has a member that is no zombie.
// Without /proc, whoever can be signalled counts as alive.
func hasLiveMember(pgid int) bool {
	seen, live := 0, false
	allProcesses(func(pid int) {
		seen++
		// The group alone is a hundred times cheaper than the rest.
		if group, err := unix.Getpgid(pid); err == nil && group != pgid {
			return
		}
		if s, ok := readStat(pid); ok && s.group == pgid && !s.dead {
			live = true
		}
	})
	return live || seen == 0
}

// descendants returns the children of pid, their children, and so on, as they
// are now. One whose parent has ended is not among them.
func descendants(pid int) (found []relative) {
	for _, child := range children(pid) {
		if s, ok := readStat(child); ok {
			found = append(found, relative{child, s.start})
			found = append(found, descendants(child)...)
		}
	}
	return found
}

// children returns the children of pid, or none where the kernel was built not
// to tell.
func children(pid int) (found []int) {
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name()))
		for _, field := range bytes.Fields(text) {
			if child, err := strconv.Atoi(string(field)); err == nil {
				found = append(found, child)
			}
		}
	}
	return found
}

// holders returns the processes that have the pipe open whose end fd is, other
// than this one. Those of other users cannot be seen.
func holders(fd *pollio.FD) (found []relative) {
	raw, err := fd.Source().SyscallConn()
	if err != nil {
		return nil
	}
	var st unix.Stat_t
	raw.Control(func(sysfd uintptr) { err = unix.Fstat(int(sysfd), &st) })
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return nil
	}
	want := fmt.Sprintf("pipe:[%d]", st.Ino)
	allProcesses(func(pid int) {
		if pid == os.Getpid() {
			return
		}
		path := fmt.Sprintf("/proc/%d/fd", pid)
		dir, err := os.Open(path)
		if err != nil {
			return
		}
		defer dir.Close()
		names, _ := dir.Readdirnames(-1)
		for _, name := range names {
			if target, err := os.Readlink(path + "/" + name); err == nil && target == want {
				if s, ok := readStat(pid); ok {
					found = append(found, relative{pid, s.start})
				}
				return
			}
		}
	})
	return found
}
