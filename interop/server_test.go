package interop

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/process"
	"trigo/relay"
)

// keep is the child that runs a server of somebody else's, until its own stdin
// ends: so the server is gone with the tests, however they end.
func keep(args []string) error {
	var c process.Command
	if err := json.Unmarshal([]byte(args[0]), &c); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	c.Stdout, c.Stderr = process.Inherit, process.ToStdout
	_, err := process.Run(ctx, &c)
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(errors.New("the server has ended by itself"), err)
}

// startServer starts a server and waits until it says ready. It is gone when the
// test ends.
func startServer(t testing.TB, ready string, user *process.Credential, args ...string) {
	t.Helper()
	command, err := json.Marshal(map[string]any{"Args": args, "Credential": user})
	check(t, err)
	child, err := openSelf(t, t.Context(), "keep", string(command))
	check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	lines := trigo.NewBufferedReceiver(child.Stdout())
	var said strings.Builder
	for {
		line, err := lines.ReceiveLine(ctx, 64<<10)
		if err != nil {
			t.Fatalf("%s was not ready: %v\n%s", args[0], err, &said)
		}
		said.Write(line)
		said.WriteByte('\n')
		if strings.Contains(string(line), ready) {
			return
		}
	}
}

// freePort returns a port that nobody listened on a moment ago.
func freePort(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	check(t, err)
	return port
}

// gateway joins whoever comes to a place with a Unix socket, as a TLS server in
// front of a plain one does.
func gateway(t *testing.T, p place, socket string) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- trigo.ServeListeners(ctx, func(ctx context.Context, s trigo.Stream) error {
			server, err := netstream.DialUnix(ctx, socket)
			if err != nil {
				return err
			}
			relay.Run(ctx, s, server, nil) // clients leave as they like
			return nil
		}, []trigo.Listener[trigo.Stream]{p.listener}, nil)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the gateway: %v", err)
		}
	})
}
