package endpoint

import (
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

// isLookup reports whether err is about a name.
func isLookup(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}

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

// hint returns what may help against an error of opening a layer.
func hint(layer string, phase Phase, err error) string {
	var unknown x509.UnknownAuthorityError
	var refused *proxy.RefusedError
	var dns *net.DNSError
	switch {
	case errors.As(err, &unknown):
		return "pass ca=FILE or " + pinHint(err) + "; trigo probe shows the chain"
	case pinHint(err) != "":
		return "if that is the right peer, pass " + pinHint(err)
	case errors.Is(err, ErrDenied):
		return "its pin, allow and from options say who is let in"
	case errors.As(err, &tls.RecordHeaderError{}):
		return "the peer does not speak TLS"
	case errors.As(err, &refused) && (refused.Code == 407 || refused.Protocol == "socks5" && (refused.Code == 255 || refused.Code == -1)):
		return "pass auth=USER:PASSWORD, or auth=@FILE"
	case errors.As(err, &refused):
		return "the proxy was reached and says no: is that the right target?"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such name: is it spelt right?"
	case errors.Is(err, ErrTimeout):
		return silent[phase]
	case errors.Is(err, fs.ErrNotExist):
		return missing[layer]
	}
	for _, known := range systemHints {
		if errors.Is(err, known.err) {
			return known.hint
		}
	}
	if errors.Is(err, trigo.ErrBroken) {
		return hungUp[phase]
	}
	return ""
}

// systemHints are what may help against errors of the system.
var systemHints = []struct {
	err  error
	hint string
}{
	{syscall.EADDRINUSE, "something else listens there; port 0 takes a free one"},
	{syscall.EADDRNOTAVAIL, "that is not an address of this machine"},
	{syscall.ECONNREFUSED, "nobody listens there"},
	{syscall.ENETUNREACH, "there is no way to that network from here"},
	{syscall.EHOSTUNREACH, "there is no way to that host from here"},
	{syscall.EBADF, "nothing was open there when the program was started"},
	{fs.ErrExist, "something else has that name: remove it, or take another"},
	{fs.ErrPermission, "a port below 1024, or a file of another user?"},
	{errors.ErrUnsupported, "this system has no such thing"},
}

// missing is what may help where there is no such file, by the layer.
var missing = map[string]string{
	"unix":        "nobody has made that socket: does the server run?",
	"unix-listen": "the directory of the socket must be there",
	"file":        "create makes a file, if its directory is there",
	"fifo":        "create makes it, if its directory is there",
	"exec":        "give its path, or a name that is found in PATH",
}

// hungUp is what may be the reason when a peer ends the connection, or talks
// nonsense, before all is set up.
var hungUp = map[Phase]string{
	PhaseProxy:     "is that a proxy, and does it let this machine in?",
	PhaseHandshake: "does it speak TLS at this port, and does it ask for a certificate (cert=FILE)?",
}

// silent is what may be the reason when nobody answers.
var silent = map[Phase]string{
	PhaseConnect:   "nobody answers there; something on the way may drop what is sent",
	PhaseProxy:     "it took the connection and is silent: is that a proxy?",
	PhaseHandshake: "it took the connection and is silent: does it speak TLS at this port?",
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
