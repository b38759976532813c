package proxy

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"trigo"
)

// SOCKS5Options say how a SOCKS5 proxy is asked. Nil is the same as the zero
// value.
type SOCKS5Options struct {
	// Auth is the account for a proxy that asks for one (RFC 1929). The
	// password goes to the proxy as it is.
	Auth *Auth

	// Lookup turns a name into an address here. nil: the proxy does it.
	Lookup func(ctx context.Context, host string) (netip.Addr, error)
}

// Bytes of RFC 1928 and RFC 1929.
const (
	socksVersion    = 5
	accountVersion  = 1
	methodNone      = 0
	methodAccount   = 2
	commandConnect  = 1
	typeIPv4        = 1
	typeName        = 3
	typeIPv6        = 4
	replySucceeded  = 0
	maxSOCKSElement = 255 // names, users and passwords have one byte for their length
)

// replies are the reasons for which a SOCKS5 proxy refuses (RFC 1928, 6).
var replies = map[byte]string{
	1: "general failure",
	2: "not allowed by its rules",
	3: "network unreachable",
	4: "host unreachable",
	5: "connection refused",
	6: "time to live expired",
	7: "command not supported",
	8: "type of address not supported",
}

// SOCKS5 asks the SOCKS5 proxy (RFC 1928) at the other end of s to connect to
// target, "host:port", and waits for its answer. When it returns nil, s is a
// stream to the target; no byte that the target sent was taken.
//
// If the proxy refuses, the error holds a [*RefusedError] with its reply, and
// Is [ErrRefused].
func SOCKS5(ctx context.Context, s trigo.Stream, target string, opts *SOCKS5Options) error {
	if opts == nil {
		opts = &SOCKS5Options{}
	}
	return fail("socks5", through(target, s), socks5(ctx, s, target, opts))
}

func socks5(ctx context.Context, s trigo.Stream, to string, opts *SOCKS5Options) error {
	t, err := parseTarget(to)
	if err != nil {
		return err
	}
	if a := opts.Auth; a != nil && (a.User == "" || len(a.User) > maxSOCKSElement || len(a.Password) > maxSOCKSElement) {
		return errors.New("a user has 1 to 255 bytes, a password up to 255")
	}
	if opts.Lookup != nil && !t.addr.IsValid() {
		if t.addr, err = opts.Lookup(ctx, t.host); err != nil {
			return err
		}
	}
	if err := authenticate(ctx, s, opts.Auth); err != nil {
		return err
	}
	if err := s.SendAll(ctx, socksRequest(t)); err != nil {
		return err
	}
	return receiveReply(ctx, s)
}

// authenticate agrees with the proxy on a method, and goes through with it.
func authenticate(ctx context.Context, s trigo.Stream, account *Auth) error {
	methods := []byte{methodNone}
	if account != nil {
		methods = append(methods, methodAccount)
	}
	hello := append([]byte{socksVersion, byte(len(methods))}, methods...)
	var answer [2]byte
	if err := exchange(ctx, s, hello, answer[:], socksVersion); err != nil {
		return err
	}
	switch {
	case answer[1] == methodNone:
		return nil
	case answer[1] == methodAccount && account != nil:
	case answer[1] == NoMethod && account != nil:
		return refusedSOCKS(NoMethod, "it accepts neither this account's method nor none")
	case answer[1] == NoMethod:
		return refusedSOCKS(NoMethod, "it wants authentication")
	default:
		return violation("the proxy chose method %d, which was not offered", answer[1])
	}
	login := append([]byte{accountVersion, byte(len(account.User))}, account.User...)
	login = append(append(login, byte(len(account.Password))), account.Password...)
	if err := exchange(ctx, s, login, answer[:], accountVersion); err != nil {
		return err
	}
	if answer[1] != 0 {
		return refusedSOCKS(BadAccount, "user or password not accepted")
	}
	return nil
}

func refusedSOCKS(code int, reason string) error {
	return &RefusedError{Protocol: "socks5", Code: code, Reason: reason}
}

// exchange sends a message and receives one that must begin with a version.
func exchange(ctx context.Context, s trigo.Stream, send, answer []byte, version byte) error {
	if err := s.SendAll(ctx, send); err != nil {
		return err
	}
	return receiveVersioned(ctx, s, answer, version)
}

func receiveVersioned(ctx context.Context, r trigo.ReceiveStream, p []byte, version byte) error {
	if err := receiveFull(ctx, r, p[:1]); err != nil { // alone: of another protocol this may be all there is
		return err
	}
	if p[0] != version {
		return violation("version %d where %d was expected", p[0], version)
	}
	return receiveFull(ctx, r, p[1:])
}

func socksRequest(t target) []byte {
	b := []byte{socksVersion, commandConnect, 0}
	switch addr := t.addr.Unmap(); {
	case addr.Is4():
		b = append(append(b, typeIPv4), addr.AsSlice()...)
	case addr.Is6():
		b = append(append(b, typeIPv6), addr.AsSlice()...)
	default:
		b = append(append(b, typeName, byte(len(t.host))), t.host...)
	}
	return binary.BigEndian.AppendUint16(b, t.port)
}

// receiveReply receives the answer to a request, to its last byte.
func receiveReply(ctx context.Context, r trigo.ReceiveStream) error {
	var b [2 + maxSOCKSElement]byte
	if err := receiveVersioned(ctx, r, b[:2], socksVersion); err != nil {
		return err
	}
	// Some proxies send no more than this when they refuse.
	if code := b[1]; code != replySucceeded {
		reason := replies[code]
		if reason == "" {
			reason = fmt.Sprintf("reply %d", code)
		}
		return refusedSOCKS(int(code), reason)
	}
	if err := receiveFull(ctx, r, b[:2]); err != nil {
		return err
	}
	if b[0] != 0 {
		return violation("the reserved byte is %d", b[0])
	}
	// The address is where the proxy connects from, which nobody needs.
	var size int
	switch b[1] {
	case typeIPv4:
		size = 4
	case typeIPv6:
		size = 16
	case typeName:
		if err := receiveFull(ctx, r, b[:1]); err != nil {
			return err
		}
		size = int(b[0])
	default:
		return violation("type of address %d", b[1])
	}
	return receiveFull(ctx, r, b[:size+2])
}
