//go:build unix

package rows

import (
	"os"
	"os/signal"
	"syscall"

	"trigo/signals"
)

func ownSignals(s *Scope) []Contestant {
	ours := MustGet(signals.Open(syscall.SIGUSR1))
	s.Cleanup(func() { ours.Close(s.Ctx) })
	theirs := make(chan os.Signal, 1)
	signal.Notify(theirs, syscall.SIGUSR2)
	s.Cleanup(func() { signal.Stop(theirs) })
	pid := os.Getpid()
	return []Contestant{{Name: "trigo", Work: func(n int) {
		for range n {
			Must(syscall.Kill(pid, syscall.SIGUSR1))
			MustGet(ours.Receive(s.Ctx))
		}
	}}, {Name: "os/signal", Fewer: true, Work: func(n int) {
		for range n {
			Must(syscall.Kill(pid, syscall.SIGUSR2))
			<-theirs
		}
	}}}
}
