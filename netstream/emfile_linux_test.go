package netstream

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"trigo"
)

// A server that has run out of descriptors does not spin, says so at each try,
// and serves again when there are some. This runs in a process of its own,
// which has few descriptors.
func TestServerSurvivesALackOfDescriptors(t *testing.T) {
	const child = "NETSTREAM_TEST_FEW_DESCRIPTORS"
	if os.Getenv(child) == "" {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), exe, "-test.run=^"+t.Name()+"$", "-test.count=1")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}

	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = 64
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}

	const delay = 20 * time.Millisecond
	tries := make(chan time.Time, 1000)
	records := &recorder{each: func() { tries <- time.Now() }}
	err := serving(t, func(ctx context.Context, started func([]*Listener)) error {
		return ServeTCP(ctx, "127.0.0.1:0", echo, &ServeTCPOptions{
			Ready: started,
			Serve: trigo.ServeOptions{RetryDelay: delay, Logger: slog.New(records)},
		})
	}, func(ls []*Listener) {
		hoard := takeAllDescriptors(t)
		hoard[0].Close() // for the client
		hoard = hoard[1:]
		client := dialOne(t, ls[0].Addr().String(), nil)
		first := <-tries
		const more = 4
		var last time.Time
		for range more {
			last = <-tries
		}
		if took := last.Sub(first); took < more*delay*9/10 {
			t.Errorf("%d tries in %v: the server spins", more, took)
		}
		for _, f := range hoard {
			f.Close()
		}
		talk(t, client, client)
	})
	if err != nil {
		t.Error(err)
	}
	for _, err := range records.errs {
		if !errors.Is(err, syscall.EMFILE) {
			t.Errorf("logged %v", err)
		}
	}
}

// takeAllDescriptors opens files until there are no descriptors left.
func takeAllDescriptors(t *testing.T) (hoard []*os.File) {
	for {
		f, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) && len(hoard) > 0 {
			return hoard
		}
		if err != nil {
			t.Fatal(err)
		}
		hoard = append(hoard, f)
	}
}
