package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"trigo"
	"trigo/proxy"
)

// What cannot be brought about at will, or not by everybody; dial_test.go and the
// tests of the tool have the rest.
func TestRemediesFitTheLayerAndThePhase(t *testing.T) {
	alert := func(text string) error {
		return trigo.Broken(&net.OpError{Op: "remote error", Err: errors.New(text)})
	}
	for _, c := range []struct {
		layer string
		phase Phase
		err   error
		want  string
	}{
		{"tcp", PhaseConnect, &net.DNSError{IsNotFound: true}, "is it spelt right?"},
		{"tcp", PhaseConnect, &net.DNSError{IsTimeout: true}, "the name server"},
		{"tcp", PhaseConnect, ErrTimeout, "nobody answers there"},
		{"tcp", PhaseConnect, syscall.EHOSTUNREACH, "no way to that host"},
		{"tcp", PhaseConnect, syscall.EPERM, "a firewall"},
		{"tcp", PhaseConnect, syscall.ENODEV, "interface"},
		{"tcp", PhaseConnect, syscall.ETIMEDOUT, "user-timeout"},
		{"tcp-listen", PhaseListen, syscall.EACCES, "below 1024"},
		{"udp-listen", PhaseListen, syscall.EACCES, "below 1024"},
		{"unix-listen", PhaseListen, syscall.EACCES, "another user"},
		{"unix", PhaseConnect, syscall.EACCES, "the permissions of the socket"},
		{"file", PhaseOpen, syscall.EACCES, "another user"},
		{"exec", PhaseOpen, syscall.EACCES, "chmod"},
		{"tls", PhasePrepare, fs.ErrPermission, "another user"},
		{"file", PhaseOpen, syscall.ENFILE, "fs.file-max"},
		{"file", PhaseOpen, syscall.EROFS, "nothing can be written"},
		{"tcp", PhaseConnect, errors.ErrUnsupported, "this system has no such thing"},
		{"socks5", PhaseProxy, &proxy.RefusedError{Protocol: "socks5", Code: proxy.BadAccount}, "auth="},
		{"socks5", PhaseProxy, &proxy.RefusedError{Protocol: "socks5", Code: 5}, "is that the right target?"},
		{"connect", PhaseProxy, io.ErrUnexpectedEOF, "is that a proxy"},
		{"proxy-accept", PhaseProxy, io.ErrUnexpectedEOF, "PROXY protocol"},
		{"proxy-accept", PhaseProxy, denied{errors.New("a proxy at 192.0.2.1")}, "who is let in"},
		{"tls", PhaseHandshake, tls.RecordHeaderError{}, "does not speak TLS"},
		{"tls", PhaseHandshake, alert("tls: certificate required"), "cert=FILE"},
		{"tls", PhaseHandshake, alert("tls: handshake failure"), "does it speak TLS"},
		{"tls-server", PhaseHandshake, ErrTimeout, "the client is silent"},
		{"proxy-accept", PhaseProxy, ErrTimeout, "PROXY protocol"},
		{"tls-server", PhaseHandshake, alert("tls: bad certificate"), "our authority"},
		{"tls-server", PhaseHandshake, trigo.Broken(io.ErrUnexpectedEOF), "verify=require"},

		// later, on a stream
		{"", "", alert("tls: certificate required"), "cert=FILE"},
		{"", "", trigo.ErrTruncated, "ragged=ok"},
		{"", "", trigo.Broken(syscall.ECONNRESET), "its log may say why"},
		{"", "", trigo.Broken(syscall.EPIPE), "its log may say why"},

		// nobody needs a hint to what they have done themselves
		{"connect", PhaseProxy, context.Canceled, ""},
		{"tls", PhaseHandshake, context.Canceled, ""},
	} {
		got := hint(c.layer, c.phase, fmt.Errorf("it fails: %w", c.err))
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s, %s, %v: %q, want ... %s ...", c.layer, c.phase, c.err, got, c.want)
		}
		if c.layer == "" && got != Hint(c.err) {
			t.Errorf("%v: %q, and %q", c.err, got, Hint(c.err))
		}
	}
}

func TestRemediesAreOneLineForLayersThatThereAre(t *testing.T) {
	for _, r := range remedies {
		if r.layer != "" && findKind(r.layer) == nil || r.hint == "" || strings.ContainsAny(r.hint, "\r\n") || strings.HasSuffix(r.hint, ".") {
			t.Errorf("%+v", r)
		}
	}
}

func TestErrorsTellHowLongEachPhaseTook(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	phases := func(err error) (all []Phase) {
		var e *Error
		if !errors.As(err, &e) {
			t.Fatal(err)
		}
		for _, took := range e.Took {
			all = append(all, took.Phase)
			if took.Duration < 0 || took.Duration > time.Minute || took.Layer == "" {
				t.Errorf("%+v", took)
			}
		}
		return all
	}
	limits := &Options{HandshakeTimeout: 20 * time.Millisecond}
	_, err = parsed(t, "tls:h+tcp:%s", l.Addr()).Dial(limited(t), limits)
	if got := phases(err); !slices.Equal(got, []Phase{PhaseResolve, PhaseConnect, PhaseHandshake}) {
		t.Errorf("%v", got)
	}
	if last := err.(*Error).Took[2]; last.Layer != "tls" || last.Duration < 20*time.Millisecond {
		t.Errorf("%+v", last)
	}
	_, err = parsed(t, "tcp:nobody.invalid:1").Dial(limited(t), nil)
	if got := phases(err); !slices.Equal(got, []Phase{PhaseResolve}) {
		t.Errorf("a name that is not there: %v", got)
	}
	_, err = parsed(t, "file:/no/such").Dial(limited(t), nil)
	if got := phases(err); !slices.Equal(got, []Phase{PhaseOpen}) {
		t.Errorf("a file that is not there: %v", got)
	}
	if _, err = Parse("tpc:h:1"); phases(err) != nil {
		t.Error("reading an address took time")
	}
}
