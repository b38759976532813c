package proxy

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// target is where a proxy is asked to connect to.
type target struct {
	host string     // a name in ASCII, or the text of addr
	addr netip.Addr // valid if the host is an address
	port uint16
}

// parseTarget reads "host:port". An IPv6 address stands in brackets.
func parseTarget(text string) (target, error) {
	host, portText, err := net.SplitHostPort(text)
	if err != nil {
		return target{}, fmt.Errorf("target %q: want host:port", text)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return target{}, fmt.Errorf("target %q: the port is not a number up to 65535", text)
	}
	t := target{host: host, port: uint16(port)}
	switch addr, err := netip.ParseAddr(host); {
	case err == nil && addr.Zone() != "":
		return target{}, fmt.Errorf("target %q: a zone means nothing to a proxy", text)
	case err == nil:
		t.addr = addr.Unmap()
		t.host = t.addr.String()
	case strings.HasPrefix(text, "["):
		return target{}, fmt.Errorf("target %q: no address in the brackets", text)
	default:
		t.host, err = asciiName(host)
		if err != nil {
			return target{}, fmt.Errorf("target %q: %w", text, err)
		}
	}
	return t, nil
}

// asciiName returns a name as it goes over the wire. What is ASCII stays as it
// is: a proxy may know names that are not those of the DNS.
func asciiName(name string) (string, error) {
	ascii := true
	for i := range len(name) {
		if name[i] <= ' ' || name[i] == 0x7f {
			return "", fmt.Errorf("the name contains %q", name[i])
		}
		ascii = ascii && name[i] < 0x80
	}
	if !ascii {
		var err error
		if name, err = idna.Lookup.ToASCII(name); err != nil {
			return "", err
		}
	}
	if name == "" || len(name) > 255 {
		return "", fmt.Errorf("a name has 1 to 255 bytes, not %d", len(name))
	}
	return name, nil
}

func (t target) String() string {
	return net.JoinHostPort(t.host, strconv.Itoa(int(t.port)))
}
