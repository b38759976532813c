package endpoint

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"trigo/socket"
)

// A familyError is the error of an address that is not of the family that was asked
// for.
type familyError struct{ error }

func (e *familyError) Unwrap() error { return e.error }

// ofFamily returns err, the failure of a dial from local, as a familyError if no
// address that there was to dial is of the family of local.
func ofFamily(local netip.Addr, err error) error {
	report := dialReport(nil, err)
	if !local.IsValid() || report == nil || len(report.Addresses) == 0 {
		return err
	}
	for _, a := range report.Addresses {
		if a.Addr().Unmap().Is4() == local.Unmap().Is4() {
			return err
		}
	}
	return &familyError{err}
}

// listenAddress returns the address to listen on, with the wildcard of the family
// that was asked for.
func (s *setup) listenAddress() string {
	if hasHost(s.argument) {
		return s.argument
	}
	return map[int]string{4: "0.0.0.0", 6: "[::]"}[s.opts.Family] + ":" + s.argument
}

// inFamily returns HOST:PORT with an address of the family that was asked for in the
// place of a name. Without such a wish, or without a host, it is unchanged.
func (s *setup) inFamily(ctx context.Context, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if s.opts.Family == 0 || host == "" || err != nil {
		return address, nil
	}
	a, err := s.lookup(ctx, host)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(a.String(), port), nil
}

// lookup looks a name up here, and returns an address of the family that was asked
// for.
func (s *setup) lookup(ctx context.Context, host string) (netip.Addr, error) {
	addrs, err := socket.LookupHost(ctx, host)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addrs {
		if s.opts.Family == 0 || s.opts.Family == 4 == a.Unmap().Is4() {
			return a, nil
		}
	}
	return netip.Addr{}, &familyError{fmt.Errorf("%s has no address of IPv%d", host, s.opts.Family)}
}
