package socket

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"trigo"
)

// The two tables that every system has as text: the numbers of protocols and of
// services. They are read anew each time: the calls are rare.

// wellKnown are the protocols for machines without a table.
var wellKnown = map[string]int{
	"ip": 0, "icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "dccp": 33, "ipv6": 41,
	"gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "sctp": 132, "udplite": 136,
}

// Getprotobyname returns the number of a protocol, such as 1 for "icmp". For an
// unknown name the error Is [os.ErrNotExist]. It asks no resolver and waits for
// nobody: it reads a file, and ctx must be alive when it begins.
//
// Trio: trio.socket.getprotobyname.
func Getprotobyname(ctx context.Context, name string) (int, error) {
	if ctx.Err() != nil {
		return 0, &trigo.OpError{Op: "look up", Layer: "protocol " + name, Err: trigo.CancelError(ctx)}
	}
	found := -1
	scanTable("protocols", func(entry []string) bool {
		n, err := strconv.Atoi(entry[1])
		if err != nil || !named(entry, name) {
			return true
		}
		found = n
		return false
	})
	if found >= 0 {
		return found, nil
	}
	if n, ok := wellKnown[name]; ok {
		return n, nil
	}
	return 0, &trigo.OpError{Op: "look up", Layer: "protocol " + name, Err: fmt.Errorf("no such protocol: %w", os.ErrNotExist)}
}

// serviceName returns the name of a port, or "".
func serviceName(network string, port uint16) (name string) {
	want := fmt.Sprintf("%d/%s", port, network)
	scanTable("services", func(entry []string) bool {
		if entry[1] == want {
			name = entry[0]
		}
		return name == ""
	})
	return name
}

func named(entry []string, name string) bool {
	for i, n := range entry {
		if i != 1 && n == name {
			return true
		}
	}
	return false
}

// scanTable calls f with the words of each entry (a name, a number, more names)
// until it returns false.
func scanTable(table string, f func(entry []string) bool) {
	dir := "/etc"
	if runtime.GOOS == "windows" {
		dir = filepath.Join(os.Getenv("SystemRoot"), "System32", "drivers", "etc")
	}
	text, err := os.ReadFile(filepath.Join(dir, table))
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) >= 2 && !f(words) {
			return
		}
	}
}
