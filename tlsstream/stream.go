package tlsstream

import (
	"context"
	"crypto/tls"
	"strings"
	"sync/atomic"

	"trigo"
)

// A Stream is TLS over another stream, its transport, which it owns. It is a
// [trigo.HalfCloseableStream]; what its methods have in common with those of any
// stream is said there.
//
// Every method but those that only look does the handshake first if nobody has
// done it yet, except WaitSendAllMightNotBlock and Abort. A stream with a
// handshake that was begun and not ended has a goroutine, until Close or Abort.
//
// Trio: trio.SSLStream.
type Stream struct {
	gate  gate // to the transport
	conn  *tls.Conn
	shake atomic.Pointer[handshake] // nil once it has succeeded

	sendErr error // why sending broke; of the holder of sending
	end     error // what receiving ended with; of the holder of receiving

	sending   atomic.Bool // held by the one call that uses the sending half
	receiving atomic.Bool // held by the one call that uses the receiving half
	broken    atomic.Bool // there is nobody to say goodbye to
	closing   atomic.Bool // calls return ErrClosed

	https     bool
	spoke     bool // there is data behind the last words of the handshake; of the holder of sending
	sentEOF   bool // close_notify is in the outbox or sent; likewise
	ragged    bool // receiving ended with the transport, in HTTPSCompatible mode; of the holder of receiving
	hasUnread bool // Unwrap came upon a byte of data, unread; likewise
	unread    byte

	fate    atomic.Int32 // of the transport: kept, letGo or handedOver
	release release      // of the transport, by Close, Abort or Unwrap
}

// What becomes of the transport. It is decided once: who unwraps a stream while another
// aborts it gets a transport that nobody has touched, or none.
const (
	kept       = iota
	letGo      // by Close or Abort
	handedOver // by Unwrap
)

var (
	_ trigo.HalfCloseableStream = (*Stream)(nil)
	_ trigo.Aborter             = (*Stream)(nil)
)

// Client returns the client's end of TLS over transport. It does no I/O; see
// [Stream.Handshake].
//
// config must have a ServerName, which may be an international name, or
// InsecureSkipVerify; it must not be changed afterwards. The stream owns
// transport from now on.
func Client(transport trigo.Stream, config *tls.Config, opts *Options) *Stream {
	config, err := clientConfig(config, "")
	s, h := newStream(transport, opts)
	h.client, h.name, h.callbacks = true, config.ServerName, config.GetClientCertificate != nil
	s.conn = tls.Client(&s.gate, config)
	if err != nil {
		h.over, h.result = true, err
		s.broken.Store(true)
	}
	return s
}

// Server returns the server's end of TLS over transport. It does no I/O; see
// [Stream.Handshake].
//
// config must have a certificate, or a way to get one; it must not be changed
// afterwards. The stream owns transport from now on.
func Server(transport trigo.Stream, config *tls.Config, opts *Options) *Stream {
	if config == nil {
		config = &tls.Config{}
	}
	s, h := newStream(transport, opts)
	h.callbacks = config.GetCertificate != nil || config.GetConfigForClient != nil ||
		config.GetEncryptedClientHelloKeys != nil
	s.conn = tls.Server(&s.gate, config)
	return s
}

func newStream(transport trigo.Stream, opts *Options) (*Stream, *handshake) {
	s := &Stream{https: opts.orZero().HTTPSCompatible}
	s.gate.transport = transport
	h := newHandshake()
	s.gate.more = h.more
	s.shake.Store(h)
	return s, h
}

// Handshake does the TLS handshake, unless it has been done. It waits for the
// peer. Any number of callers may wait for it at the same time, beside calls
// that need it too. A cancelled one leaves the handshake where it is, for the
// next call to continue.
//
// If it fails it returns [trigo.ErrBroken] with the reason, and so does
// every other call, then and for ever after. If a callback of the tls.Config
// panics, so does the call that was moving bytes, with a
// [nursery.PanicError].
func (s *Stream) Handshake(ctx context.Context) error {
	err := trigo.ErrClosed
	if !s.closing.Load() {
		err = trigo.CancelError(ctx)
	}
	if err == nil {
		err = s.handshake(ctx)
	}
	if err == nil {
		return nil
	}
	return s.fail(ctx, "handshake", 0, err)
}

// ConnectionState returns what was negotiated. Before the end of the handshake
// that is [trigo.ErrNeedHandshake]. It works on a closed stream too.
func (s *Stream) ConnectionState() (tls.ConnectionState, error) {
	if s.shake.Load() != nil {
		return tls.ConnectionState{}, &trigo.OpError{Op: "connection state", Layer: s.layer(), Err: trigo.ErrNeedHandshake}
	}
	return s.conn.ConnectionState(), nil
}

// ALPN returns the application protocol that was negotiated, or "" if none
// was. Before the end of the handshake it is [trigo.ErrNeedHandshake].
//
// Trio: selected_alpn_protocol.
func (s *Stream) ALPN() (string, error) {
	state, err := s.ConnectionState()
	return state.NegotiatedProtocol, err
}

// ChannelBinding returns 32 bytes that are the same at both ends of this
// connection and nowhere else ("tls-exporter", RFC 9266). It needs TLS 1.3, or
// 1.2 with an extended master secret. Before the end of the handshake it is
// [trigo.ErrNeedHandshake].
//
// Trio: get_channel_binding.
func (s *Stream) ChannelBinding() ([]byte, error) {
	state, err := s.ConnectionState()
	if err != nil {
		return nil, err
	}
	binding, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
	if err != nil {
		return nil, &trigo.OpError{Op: "channel binding", Layer: s.layer(), Err: err}
	}
	return binding, nil
}

// Transport returns the stream below, or nil after [Stream.Unwrap]. To use it
// beside the TLS stream is to break that.
//
// Trio: transport_stream.
func (s *Stream) Transport() trigo.Stream {
	if s.fate.Load() == handedOver {
		return nil
	}
	return s.gate.transport
}

// Underlying returns the transport, for [trigo.As].
func (s *Stream) Underlying() any {
	if t := s.Transport(); t != nil {
		return t
	}
	return nil
}

// String names the stream by what is known of it: "tls1.3 h2 example.com", or
// "tls example.com" before the end of the handshake. The name is that of the
// server, for a server the one that the client asked for.
func (s *Stream) String() string {
	words, name := []string{"tls"}, ""
	if h := s.shake.Load(); h != nil {
		name = h.name
	} else {
		state := s.conn.ConnectionState()
		words[0] = versions[state.Version]
		if state.NegotiatedProtocol != "" {
			words = append(words, state.NegotiatedProtocol)
		}
		name = state.ServerName
	}
	if name != "" {
		words = append(words, name)
	}
	return strings.Join(words, " ")
}

var versions = map[uint16]string{
	tls.VersionTLS10: "tls1.0",
	tls.VersionTLS11: "tls1.1",
	tls.VersionTLS12: "tls1.2",
	tls.VersionTLS13: "tls1.3",
}

// begin is how every call on a half begins: what is closed is closed, a dead
// ctx does nothing, a second caller is told so.
func (s *Stream) begin(ctx context.Context, half *atomic.Bool) error {
	switch {
	case s.closing.Load():
		return trigo.ErrClosed
	case ctx.Err() != nil:
		return trigo.CancelError(ctx)
	case !half.CompareAndSwap(false, true):
		return trigo.ErrBusy
	}
	return nil
}
