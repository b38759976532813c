//go:build unix

package rows

import (
	"os/exec"
	"syscall"
)

// own gives a program a process group of its own, for [end].
func own(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// end ends a program with all that it has started.
func end(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
