package endpoint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"trigo/netstream"
	"trigo/socket"
)

var systemdKind = &kind{
	Kind: Kind{
		Name: "systemd", Form: "systemd[:NAME]", Role: Listens, Argument: "[NAME]",
		Help: "listening sockets that the program was started with (FileDescriptorName=), or all of them",
		Options: []Option{
			{Key: "max", Type: Int, Help: "connections at a time; others wait to be accepted"},
		},
	},
	bare:  true,
	parse: func(argument string) (string, error) { return argument, nil },
	check: tcpListenKind.check,
	prepare: func(s *setup) (*part, error) {
		return &part{
			phase:  PhaseListen,
			max:    s.number("max"),
			listen: func(ctx context.Context) ([]source, error) { return adoptListeners(ctx, s.argument) },
		}, nil
	},
}

const firstPassed = 3 // SD_LISTEN_FDS_START

// passedDescriptors returns the descriptors with this name that were passed on to
// the process: by LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES.
func passedDescriptors(name string, getenv func(string) string) ([]int, error) {
	if pid := getenv("LISTEN_PID"); pid != strconv.Itoa(os.Getpid()) {
		return nil, errors.New("no sockets were passed to this process (LISTEN_PID, LISTEN_FDS)")
	}
	count, err := strconv.ParseUint(getenv("LISTEN_FDS"), 10, 16)
	if err != nil || count == 0 {
		return nil, fmt.Errorf("LISTEN_FDS is %q, not a number of sockets", getenv("LISTEN_FDS"))
	}
	names := strings.Split(getenv("LISTEN_FDNAMES"), ":")
	var found []int
	for i := range int(count) {
		if name == "" || i < len(names) && names[i] == name {
			found = append(found, firstPassed+i)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no socket is named %s; there are %s", name, strings.Join(names, ", "))
	}
	return found, nil
}

// adoptListeners makes listeners of what was passed on. They can be adopted once.
func adoptListeners(ctx context.Context, name string) ([]source, error) {
	descriptors, err := passedDescriptors(name, os.Getenv)
	if err != nil {
		return nil, err
	}
	var sources []source
	for _, fd := range descriptors {
		s, err := socket.FromFD(fd)
		if err == nil {
			var l *netstream.Listener
			if l, err = netstream.ListenerFromSocket(s); err == nil {
				sources = append(sources, accepting[*netstream.Stream]{listener: l})
				continue
			}
			s.Close(ctx)
		}
		for _, open := range sources {
			open.Close(ctx)
		}
		return nil, err
	}
	return sources, nil
}
