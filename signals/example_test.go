//go:build unix

package signals_test

import (
	"context"
	"fmt"
	"syscall"

	"trigo/signals"
)

// A server that reads its configuration again on SIGHUP.
func ExampleOpen() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := signals.Open(syscall.SIGHUP)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close(ctx)

	syscall.Kill(syscall.Getpid(), syscall.SIGHUP) // somebody sends it
	for sig, err := range r.All(ctx) {
		if err != nil {
			return
		}
		fmt.Println(sig, "reload")
		break
	}
	// Output: hangup reload
}

// The first SIGTERM or SIGINT asks main to end, and the cause says which it
// was. A second one would end the process.
func ExampleShutdown() {
	err := signals.Shutdown(context.Background(), func(ctx context.Context) error {
		syscall.Kill(syscall.Getpid(), syscall.SIGTERM) // somebody sends it
		<-ctx.Done()
		// Say goodbye to the clients here.
		return context.Cause(ctx)
	})
	fmt.Println(err)
	// Output: stopped by signal: terminated
}
