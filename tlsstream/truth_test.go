package tlsstream

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"trigo"
)

// ending is what a peer does to a transport.
type ending string

const (
	closeNotify ending = "close_notify"
	finAtBorder ending = "FIN at a record border"
	finInRecord ending = "FIN inside a record"
	reset       ending = "RST"
	silence     ending = "silence"
	garbage     ending = "garbage"
)

// wants is what a receive is to get.
var errEOF, errTime = io.EOF, context.DeadlineExceeded

var truth = []struct {
	peer          ending
	phase         string
	strict, https error
}{
	// An unencrypted close_notify in a handshake proves nothing.
	{closeNotify, "handshake", trigo.ErrTruncated, trigo.ErrTruncated},
	{closeNotify, "idle", errEOF, errEOF},
	{closeNotify, "transfer", errEOF, errEOF},
	{finAtBorder, "handshake", trigo.ErrTruncated, errEOF},
	{finAtBorder, "idle", trigo.ErrTruncated, errEOF},
	{finAtBorder, "transfer", trigo.ErrTruncated, errEOF},
	{finInRecord, "handshake", trigo.ErrTruncated, trigo.ErrTruncated},
	{finInRecord, "idle", trigo.ErrTruncated, trigo.ErrTruncated},
	{finInRecord, "transfer", trigo.ErrTruncated, trigo.ErrTruncated},
	{reset, "handshake", trigo.ErrBroken, trigo.ErrBroken},
	{reset, "idle", trigo.ErrBroken, trigo.ErrBroken},
	{reset, "transfer", trigo.ErrBroken, trigo.ErrBroken},
	{silence, "handshake", errTime, errTime},
	{silence, "idle", errTime, errTime},
	{silence, "transfer", errTime, errTime},
	{garbage, "handshake", trigo.ErrBroken, trigo.ErrBroken},
	{garbage, "idle", trigo.ErrBroken, trigo.ErrBroken},
	{garbage, "transfer", trigo.ErrBroken, trigo.ErrBroken},
}

// What a receiver is told, for everything that a peer can do. The peer is
// crypto/tls on a socket.
func TestTruthTable(t *testing.T) {
	for _, row := range truth {
		t.Run(string(row.peer)+" in "+row.phase, func(t *testing.T) {
			eachVersion(t, func(t *testing.T, config *tls.Config) {
				eachMode(t, func(t *testing.T, opts *Options) {
					want := row.strict
					if opts != nil {
						want = row.https
					}
					checkTruth(t, row.peer, row.phase, config, opts, want)
				})
			})
		})
	}
}

func checkTruth(t *testing.T, peer ending, phase string, config *tls.Config, opts *Options, want error) {
	c, raw := rawPair(t)
	client := Client(fromConn(t, c), config, opts)
	defer client.Abort()
	ctx := t.Context()
	server := tls.Server(raw, serverConfig())
	if phase != "handshake" {
		shaken, shakenToo := both(func() error { return client.Handshake(ctx) }, server.Handshake)
		if shaken != nil || shakenToo != nil {
			t.Fatal(shaken, shakenToo)
		}
	}
	if phase == "transfer" {
		if _, err := server.Write([]byte("data")); err != nil {
			t.Fatal(err)
		}
	}
	inflict(t, peer, phase, raw.(*net.TCPConn), server)
	if phase == "transfer" && peer != reset {
		receiveString(t, client, "data")
	}
	if want == errTime {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
	}
	var err error
	for err == nil { // a reset may let the data through, or not
		err = receiveError(ctx, client)
	}
	isExactly(t, err, want)
	if want != errTime {
		isExactly(t, receiveError(t.Context(), client), want)
	}
}

// isExactly wants an error of one kind, and not of another that may be
// mistaken for it.
func isExactly(t *testing.T, err, want error) {
	t.Helper()
	if want == errEOF {
		if err != io.EOF {
			t.Errorf("got %v, want a bare EOF", err)
		}
		return
	}
	wantIs(t, "receive", err, want)
	if truncated := errors.Is(err, trigo.ErrTruncated); truncated != (want == trigo.ErrTruncated) {
		t.Errorf("got %v: truncated is %v", err, truncated)
	}
	if broken := errors.Is(err, trigo.ErrBroken); broken != (want != errTime) {
		t.Errorf("got %v: broken is %v", err, broken)
	}
}

func inflict(t *testing.T, peer ending, phase string, raw *net.TCPConn, server *tls.Conn) {
	t.Helper()
	write := func(p []byte) {
		if _, err := raw.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	switch peer {
	case closeNotify:
		if phase == "handshake" {
			write([]byte{21, 3, 3, 0, 2, 1, 0})
		} else if err := server.CloseWrite(); err != nil {
			t.Fatal(err)
		}
	case finAtBorder:
		raw.CloseWrite()
	case finInRecord:
		record := byte(23)
		if phase == "handshake" {
			record = 22
		}
		write([]byte{record, 3, 3, 0, 100, 1, 2, 3})
		raw.CloseWrite()
	case reset:
		raw.SetLinger(0)
		raw.Close()
	case silence:
	case garbage:
		write([]byte("SSH-2.0-OpenSSH_9.9 and more of the kind\r\n"))
	}
}
