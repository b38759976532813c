package endpoint

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"trigo/trigotest"
)

const childEnv = "TRIGO_ENDPOINT_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "systemd":
		os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
		childMain(serveOne(os.Args[1]))
	case "stdio":
		childMain(relayEcho())
	}
	trigotest.Main(m)
}

func childMain(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serveOne echoes on one connection to the address.
func serveOne(address string) error {
	ctx := context.Background()
	e, err := Parse(address)
	if err != nil {
		return err
	}
	listeners, err := e.Listen(ctx, nil)
	if err != nil {
		return err
	}
	if len(listeners) != 1 {
		return fmt.Errorf("%d listeners", len(listeners))
	}
	in, err := listeners[0].Accept(ctx)
	if err != nil {
		return err
	}
	s, err := in.Open(ctx)
	if err != nil {
		return err
	}
	if err := echoing(ctx, s); err != nil {
		return err
	}
	return in.Close(ctx)
}

// relayEcho echoes from standard input to standard output.
func relayEcho() error {
	ctx := context.Background()
	e, err := Parse("-")
	if err != nil {
		return err
	}
	s, err := e.Dial(ctx, nil)
	if err != nil {
		return err
	}
	if err := echoing(ctx, s); err != nil {
		return err
	}
	return s.Close(ctx)
}

func childCommand(t *testing.T, kind string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), childEnv+"="+kind)
	return cmd
}

func TestSocketsThatWerePassedOnAreListenedTo(t *testing.T) {
	var files []*os.File
	var address string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		address = l.Addr().String()
		l.Close()
		defer f.Close()
		files = append(files, f)
	}
	cmd := childCommand(t, "systemd", "systemd:web")
	cmd.ExtraFiles = files
	cmd.Env = append(cmd.Env, "LISTEN_FDS=2", "LISTEN_FDNAMES=other:web")
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	roundTrip(t, dial(t, nil, "tcp:%s", address), longText)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, said.String())
	}
}

func TestSocketsThatWereNotPassedOnAreMissed(t *testing.T) {
	_, err := parsed(t, "systemd:web").Listen(t.Context(), nil)
	wantError(t, err, PhaseListen, "no sockets were passed to this process", "")
	env := map[string]string{"LISTEN_PID": strconv.Itoa(os.Getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"}
	for name, want := range map[string]string{"": "[3 4]", "a": "[3]", "b": "[4]", "c": "[]"} {
		fds, err := passedDescriptors(name, func(key string) string { return env[key] })
		if got := fmt.Sprint(fds); got != want || (want == "[]") != (err != nil) {
			t.Errorf("%q: %s, %v", name, got, err)
		}
	}
	env["LISTEN_FDS"] = "many"
	if _, err := passedDescriptors("", func(key string) string { return env[key] }); err == nil {
		t.Error("many is taken for a number")
	}
}

func TestStandardInputAndOutputAreOneStream(t *testing.T) {
	cmd := childCommand(t, "stdio")
	cmd.Stdin = bytes.NewReader([]byte(longText))
	if got, err := cmd.Output(); string(got) != longText || err != nil {
		t.Errorf("%d bytes came back of %d, %v", len(got), len(longText), err)
	}
}
