//go:build unix

package main

import (
	"context"
	"os"
	"syscall"

	"trigo/signals"
)

// openOrders receives the signals that ask for something else than the end.
// A relay that does not listen leaves SIGHUP what it is: the terminal is gone.
func openOrders(listens bool) (*signals.Receiver, error) {
	if listens {
		return signals.Open(syscall.SIGUSR1, syscall.SIGHUP)
	}
	return signals.Open(syscall.SIGUSR1)
}

func (j *job) obey(ctx context.Context, sig os.Signal) {
	if sig == syscall.SIGHUP {
		j.reload(ctx)
	} else {
		j.list()
	}
}
