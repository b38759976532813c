package interop

import (
	"context"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"trigo/process"
)

// openSelf starts this program as one of the children. It is gone when the test
// ends: closing its stdin ends every one of them.
func openSelf(t testing.TB, ctx context.Context, child string, args ...string) (*process.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := process.Open(ctx, &process.Command{
		Args:  append([]string{self}, args...),
		Env:   append(os.Environ(), childEnv+"="+child),
		Stdin: process.Pipe, Stdout: process.Pipe,
	})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		ctx := context.Background()
		p.Stdin().Close(ctx)
		p.Stdout().Close(ctx)
		if status, err := p.Wait(ctx); err != nil || !status.Success() {
			t.Errorf("%s: %v, %v", child, status, err)
		}
	})
	return p, nil
}

// connectStdio joins stdin and stdout to a Unix socket, as a ProxyCommand of ssh
// does to a server.
func connectStdio(args []string) error {
	signal.Ignore(syscall.SIGPIPE) // whoever is on stdout may leave first
	c, err := net.Dial("unix", args[0])
	if err != nil {
		return err
	}
	done := make(chan struct{}, 2)
	go func() {
		io.Copy(c, os.Stdin)
		c.(*net.UnixConn).CloseWrite()
		done <- struct{}{}
	}()
	go func() {
		io.Copy(os.Stdout, c)
		os.Stdout.Close()
		done <- struct{}{}
	}()
	<-done
	<-done
	return nil
}
