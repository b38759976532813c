package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"trigo"
	"trigo/proxy"
	"trigo/tlsstream"
)

// reason returns what is at the bottom of err, without what is said already by the
// operation that failed.
func reason(err error) string {
	var verification *tls.CertificateVerificationError
	if errors.As(err, &verification) {
		return strings.TrimPrefix(verification.Err.Error(), "x509: ")
	}
	var op *trigo.OpError
	for errors.As(err, &op) {
		err = op.Err
	}
	text := err.Error()
	for _, prefix := range []string{trigo.ErrBroken.Error() + ": ", trigo.ErrTruncated.Error() + ": "} {
		text = strings.TrimPrefix(text, prefix)
	}
	if alert, ok := strings.CutPrefix(text, "remote error: tls: "); ok {
		return "the peer refuses it: " + alert
	}
	return strings.TrimPrefix(text, "tls: ")
}

// Hint returns what may help against err, or "" if nothing is known to. An [*Error]
// has its own already; this is for what goes wrong later, on a stream, or with
// something that is no endpoint.
func Hint(err error) string { return hint("", "", err) }

// hint returns what may help against an error of a layer in a phase, each of which
// may be empty: what the first remedy says that fits.
func hint(layer string, phase Phase, err error) string {
	for _, r := range remedies {
		if (r.layer == "" || r.layer == layer) && (r.phase == "" || r.phase == phase) && r.when(err) {
			return strings.ReplaceAll(r.hint, "PIN", pinHint(err))
		}
	}
	return ""
}

// A remedy is what may help against some errors.
type remedy struct {
	layer string // of layers of this kind; "" of all
	phase Phase  // in this phase; "" in all
	when  func(error) bool
	hint  string // PIN stands for the option that accepts the peer's certificate
}

// remedies are all hints against what the world does; those against mistakes in an
// address stand where these are found. The first that fits is given, so what is
// special stands before what is general.
var remedies = []remedy{
	{when: as[x509.UnknownAuthorityError], hint: "pass ca=FILE or PIN; trigo probe shows the chain"},
	{when: hasShownCertificate, hint: "if that is the right peer, pass PIN"},
	{when: is(ErrDenied), hint: "its pin, allow and from options say who is let in"},
	{when: as[tls.RecordHeaderError], hint: "the peer does not speak TLS"},
	{layer: "tls-server", when: isAlert, hint: "the client says so: it needs our authority (ca) or pin, and a version of TLS that min allows"},
	{layer: "tls-server", phase: PhaseHandshake, when: is(trigo.ErrBroken), hint: "clients have to speak TLS here, and to show a certificate if verify=require"},
	{when: asksForCertificate, hint: "the peer wants to know who we are: pass cert=FILE and key=FILE"},
	{when: wantsAuth, hint: "pass auth=USER:PASSWORD, or auth=@FILE"},
	{when: as[*proxy.RefusedError], hint: "the proxy was reached and says no: is that the right target?"},

	{when: isUnknownName, hint: "no such name: is it spelt right?"},
	{when: isLookup, hint: "the name server does not answer; an IP address needs none"},
	{layer: "tls-server", when: is(ErrTimeout), hint: "the client is silent: does it speak TLS?"},
	{layer: "proxy-accept", when: is(ErrTimeout), hint: "who connects is silent: is it a proxy that tells of its clients (PROXY protocol)?"},
	{phase: PhaseConnect, when: is(ErrTimeout), hint: "nobody answers there; something on the way may drop what is sent"},
	{phase: PhaseProxy, when: is(ErrTimeout), hint: "it took the connection and is silent: is that a proxy?"},
	{phase: PhaseHandshake, when: is(ErrTimeout), hint: "it took the connection and is silent: does it speak TLS at this port?"},

	{layer: "unix", when: is(fs.ErrNotExist), hint: "nobody has made that socket: does the server run?"},
	{layer: "unix-listen", when: is(fs.ErrNotExist), hint: "the directory of the socket must be there"},
	{layer: "file", when: is(fs.ErrNotExist), hint: "create makes a file, if its directory is there"},
	{layer: "fifo", when: is(fs.ErrNotExist), hint: "create makes it, if its directory is there"},
	{layer: "exec", when: is(fs.ErrNotExist), hint: "a program is found by its path, or by a name in PATH; the directory of cwd must be there"},
	{layer: "systemd", when: always, hint: "a .socket unit passes them on, under the name of its FileDescriptorName="},
	{when: is(fs.ErrNotExist), hint: "is the path right?"},
	{when: as[noVariable], hint: "set it, and export it"},

	{layer: "exec", when: is(fs.ErrPermission), hint: "it must be executable (chmod +x), and its directory open to this user"},
	{layer: "unix", when: is(fs.ErrPermission), hint: "the permissions of the socket say who may connect"},
	{layer: "tcp-listen", when: is(fs.ErrPermission), hint: "ports below 1024 are privileged, and so are some options"},
	{layer: "udp-listen", when: is(fs.ErrPermission), hint: "ports below 1024 are privileged"},
	{phase: PhaseConnect, when: is(fs.ErrPermission), hint: "a firewall of this machine, or an option that is privileged?"},
	{when: is(fs.ErrPermission), hint: "it belongs to another user: ls -l shows what is allowed"},

	{when: is(syscall.EADDRINUSE), hint: "something else listens there; port 0 takes a free one"},
	{when: as[*familyError], hint: "leave out what asks for the other one: -4, -6 or bind"},
	{when: is(syscall.EADDRNOTAVAIL), hint: "that is not an address of this machine"},
	{when: is(syscall.ECONNREFUSED), hint: "nobody listens there"},
	{when: is(syscall.ENETUNREACH), hint: "there is no way to that network from here"},
	{when: is(syscall.EHOSTUNREACH), hint: "there is no way to that host from here"},
	{when: is(syscall.ETIMEDOUT), hint: "nobody answers there any more; keepalive and user-timeout say how long to wait"},
	{when: is(syscall.ENODEV), hint: "there is no such interface: ip link lists them"},
	{when: is(syscall.EPROTOTYPE), hint: "it is a socket of another kind, perhaps for datagrams"},
	{when: is(syscall.EBADF), hint: "nothing was open there when the program was started"},
	{when: is(syscall.EMFILE), hint: "more may be open at a time: ulimit -n, or LimitNOFILE= of a unit"},
	{when: is(syscall.ENFILE), hint: "the whole system has too many files open: sysctl fs.file-max"},
	{when: is(syscall.EISDIR), hint: "name a file in that directory"},
	{when: is(syscall.ENOTDIR), hint: "a part of the path is a file: is the path right?"},
	{when: is(syscall.ENOEXEC), hint: "a script begins with #! and the path of what runs it"},
	{when: is(syscall.ENOSPC), hint: "the disk is full: df shows it"},
	{when: is(syscall.EROFS), hint: "nothing can be written there: is the path right?"},
	{when: isTooLong, hint: "a datagram holds 65507 bytes at most: --buffer limits the pieces"},
	{when: is(fs.ErrExist), hint: "something else has that name: remove it, or take another"},
	{when: isLongPath, hint: "take a shorter one, such as one that is relative to where the program is started"},
	{when: is(errors.ErrUnsupported), hint: "this system has no such thing, or not for that"},

	{layer: "proxy-accept", when: isNoCancel, hint: "who connects has to be a proxy that tells of its clients (PROXY protocol)"},
	{phase: PhaseProxy, when: isNoCancel, hint: "is that a proxy, and does it let this machine in?"},
	{phase: PhaseHandshake, when: is(trigo.ErrBroken), hint: "does it speak TLS at this port, and does it ask for a certificate (cert=FILE)?"},
	{when: is(trigo.ErrTruncated), hint: "it may have been cut on the way; if the peer always ends like that, pass ragged=ok to its tls layer"},
	{when: is(trigo.ErrBroken), hint: "the peer cut it, or something on the way: its log may say why, and -v what had passed"},
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func as[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func always(error) bool { return true }

func isNoCancel(err error) bool { return !errors.Is(err, context.Canceled) }

// alert returns what a peer has said in TLS of the reason why it leaves: "tls: bad
// certificate". The error of package tls has no type for it.
func alert(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return op.Err.Error()
	}
	return ""
}

func isAlert(err error) bool            { return alert(err) != "" }
func asksForCertificate(err error) bool { return alert(err) == "tls: certificate required" }

func hasShownCertificate(err error) bool { return pinHint(err) != "" }

// isLookup reports whether err is about a name.
func isLookup(err error) bool { return as[*net.DNSError](err) }

func isUnknownName(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}

// isLongPath reports whether a path is longer than a socket's can be. That error has
// no other mark.
func isLongPath(err error) bool {
	return strings.HasPrefix(reason(err), "the path is too long for a socket")
}

// wantsAuth reports whether a proxy wants to know who asks.
func wantsAuth(err error) bool {
	refused, ok := errors.AsType[*proxy.RefusedError](err)
	return ok && (refused.Code == 407 || refused.Protocol == "socks5" && (refused.Code == proxy.NoMethod || refused.Code == proxy.BadAccount))
}

// pinHint returns the option that would accept the certificate that err is about.
func pinHint(err error) string {
	if certs := peerCertificates(nil, err); len(certs) > 0 {
		return fmt.Sprintf("pin=%s", CertificatePin(certs[0]))
	}
	return ""
}

// peerCertificates returns what the peer of a TLS layer has shown.
func peerCertificates(s trigo.Stream, err error) []*x509.Certificate {
	if t, ok := s.(*tlsstream.Stream); ok {
		state, _ := t.ConnectionState()
		return state.PeerCertificates
	}
	var verification *tls.CertificateVerificationError
	if errors.As(err, &verification) {
		return verification.UnverifiedCertificates
	}
	var pinned *pinError
	if errors.As(err, &pinned) {
		return pinned.chain
	}
	return nil
}

func typeName(x any) string { return fmt.Sprintf("%T", x) }
