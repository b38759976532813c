package endpoint

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// parseDialHostPort takes HOST:PORT of something to connect to.
func parseDialHostPort(argument string) (string, error) {
	host, port, err := splitHostPort(argument)
	switch {
	case err != nil:
		return "", err
	case host == "":
		return "", errors.New("missing host")
	case port == "0":
		return "", errors.New("port 0 is for listening only")
	}
	return net.JoinHostPort(host, port), nil
}

// parseListenHostPort takes [HOST:]PORT. Without a host it returns the port alone.
func parseListenHostPort(argument string) (string, error) {
	if !strings.Contains(argument, ":") {
		argument = ":" + argument
	}
	host, port, err := splitHostPort(argument)
	switch {
	case err != nil:
		return "", err
	case host == "":
		return port, nil
	}
	return net.JoinHostPort(host, port), nil
}

// splitHostPort also takes an IPv6 address without brackets: to some shells they
// are special.
func splitHostPort(text string) (host, port string, err error) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 || colon == len(text)-1 || strings.HasSuffix(text, "]") {
		return "", "", errors.New("missing port")
	}
	if text[:colon] != "" {
		if host, err = parseHost(text[:colon]); err != nil {
			return "", "", err
		}
	}
	n, err := parsePort(text[colon+1:])
	return host, strconv.Itoa(int(n)), err
}

// parseHost takes a name or an address, which may stand in brackets.
func parseHost(text string) (string, error) {
	host := text
	if inside, ok := strings.CutPrefix(host, "["); ok && strings.HasSuffix(inside, "]") {
		host = strings.TrimSuffix(inside, "]")
		if !strings.Contains(host, ":") {
			return "", fmt.Errorf("%q in brackets is not an IPv6 address", host)
		}
	}
	if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return "", fmt.Errorf("%q is neither a name nor an IPv6 address", host)
		}
	}
	if host == "" {
		return "", errors.New("missing host")
	}
	if i := strings.IndexFunc(host, func(r rune) bool { return r <= ' ' || strings.ContainsRune("/@=[]\x7f", r) }); i >= 0 {
		return "", fmt.Errorf("host %q contains %q", host, host[i])
	}
	return host, nil
}

func parsePort(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("port %s is out of range, the highest is 65535", text)
	case err != nil:
		return 0, fmt.Errorf("port %q is not a number", text)
	}
	return uint16(n), nil
}

// joinHostPort makes a text of both that is checked later.
func joinHostPort(host, port string) string {
	return net.JoinHostPort(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), port)
}

// hostOf returns the host of HOST:PORT in canonical form.
func hostOf(argument string) string {
	host, _, err := net.SplitHostPort(argument)
	if err != nil {
		return argument
	}
	return host
}
