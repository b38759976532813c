package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"trigo/endpoint"
)

// announce tells --ready that connections are accepted: a descriptor gets one
// line of JSON, systemd a message.
func announce(out *console, where string, addresses []string) {
	var err error
	switch where {
	case "":
	case "notify":
		err = notify("READY=1\nSTATUS=listening on " + strings.Join(addresses, " "))
	default:
		err = announceOn(where, addresses)
	}
	if err != nil {
		out.fail("", &failure{code: exitFailure, err: fmt.Errorf("--ready: %w", err)})
	}
}

// beat tells systemd, if it wants to know (WatchdogSec=), that we live.
func beat(ctx context.Context, where string) error {
	limit, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	pid := os.Getenv("WATCHDOG_PID")
	if where != "notify" || err != nil || limit <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return nil
	}
	for sleep(ctx, time.Duration(limit)*time.Microsecond/2) {
		notify("WATCHDOG=1") // if it does not get there, systemd will find out
	}
	return nil
}

// withdraw tells systemd that nothing more is accepted.
func withdraw(where string) {
	if where == "notify" {
		notify("STOPPING=1")
	}
}

func announceOn(descriptor string, addresses []string) error {
	n, err := strconv.ParseUint(strings.TrimPrefix(descriptor, "fd:"), 10, 31)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(n), "ready")
	if f == nil {
		return fmt.Errorf("descriptor %d: %w", n, os.ErrInvalid)
	}
	defer f.Close()
	return json.NewEncoder(f).Encode(map[string]any{"listening": addresses, "pid": os.Getpid()})
}

// notify sends a message to the service manager, if there is one (sd_notify(3)).
func notify(message string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte(message))
	return err
}

// writePIDFile writes our process id, and returns what removes it.
func writePIDFile(file string) (remove func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	if err := os.WriteFile(file, fmt.Appendln(nil, os.Getpid()), 0o666); err != nil {
		return nil, usage(endpoint.Hint(err), "--pidfile: %w", err)
	}
	return func() { os.Remove(file) }, nil
}
