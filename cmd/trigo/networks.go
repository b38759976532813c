package main

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
)

// networks is a list of networks that a flag was given. What stands in files can
// be read again while it is in use.
type networks struct {
	items []string
	list  atomic.Pointer[[]netip.Prefix]
}

func (n *networks) String() string { return strings.Join(n.items, ",") }

func (n *networks) isSet() bool { return len(n.items) > 0 }

func (n *networks) Set(text string) error {
	n.items = append(n.items, strings.Split(text, ",")...)
	return n.load()
}

// load reads the list. On an error the old one stays.
func (n *networks) load() error {
	var list []netip.Prefix
	add := func(text string) error {
		p, err := parseNetwork(text)
		if err == nil {
			list = append(list, p)
		}
		return err
	}
	for _, item := range n.items {
		file, isFile := strings.CutPrefix(item, "@")
		if !isFile {
			if err := add(item); err != nil {
				return err
			}
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(content)) {
			line, _, _ = strings.Cut(line, "#")
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			if err := add(line); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	n.list.Store(&list)
	return nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("%q is neither a network such as 192.0.2.0/24 nor an address", text)
	}
	return p.Masked(), nil
}

// has reports whether an address is in one of the networks.
func (n *networks) has(a netip.Addr) bool {
	list := n.list.Load()
	if list == nil {
		return false
	}
	for _, p := range *list {
		if p.Contains(a.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}
