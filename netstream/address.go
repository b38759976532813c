package netstream

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// splitAddress splits "host:port". The host may be empty. Ports are numbers
// only: what a service name means depends on the machine.
func splitAddress(address string) (host string, port uint16, err error) {
	var portText string
	if inner, ok := strings.CutPrefix(address, "["); ok {
		inside, after, closed := strings.Cut(inner, "]")
		if !closed {
			return "", 0, errors.New("missing ']' in the address")
		}
		if ip, err := netip.ParseAddr(inside); err != nil || !ip.Is6() {
			return "", 0, fmt.Errorf("%q in brackets is not an IPv6 address", inside)
		}
		if after != "" && after[0] != ':' {
			return "", 0, fmt.Errorf("%q after the brackets is not a port", after)
		}
		host, portText = inside, strings.TrimPrefix(after, ":")
	} else if colon := strings.LastIndexByte(address, ':'); colon >= 0 {
		host, portText = address[:colon], address[colon+1:]
		if strings.Contains(host, ":") {
			return "", 0, errors.New("an IPv6 address needs brackets, as in [::1]:80")
		}
	}
	if portText == "" {
		return "", 0, errors.New("missing port, want host:port")
	}
	port, err = parsePort(portText)
	if err != nil {
		return "", 0, err
	}
	return host, port, checkHost(host)
}

func parsePort(text string) (uint16, error) {
	port, err := strconv.ParseUint(text, 10, 16)
	switch {
	case err == nil:
		return uint16(port), nil
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("port %s is out of range, the highest is 65535", text)
	}
	return 0, fmt.Errorf("port %q is not a number", text)
}

// checkHost refuses what can be no name in any system of names: such a thing
// would only confuse a resolver, or a log.
func checkHost(host string) error {
	for _, r := range host {
		if r <= ' ' || r == 0x7f {
			return fmt.Errorf("host %q contains %q", host, r)
		}
	}
	return nil
}
