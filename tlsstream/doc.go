// Package tlsstream speaks TLS over any [trigo.Stream]: a socket, the pipes of
// a child process, another TLS stream.
//
// [Client] and [Server] put TLS on a stream; [DialTCP], [ListenTCP] and
// [ServeTCP] do so for TCP. The protocol is that of crypto/tls, configured by
// its [crypto/tls.Config]; what moves the bytes is this package's own, and so
// are the promises:
//
//   - A cancelled call of any kind leaves the stream usable, a cancelled
//     handshake too: the next call goes on where it stopped.
//   - Both directions end on their own. SendEOF sends close_notify, and
//     receiving goes on.
//   - [io.EOF] is the peer's authenticated close_notify. A transport that ends
//     without one is [trigo.ErrTruncated], unless
//     [Options.HTTPSCompatible] asks for less.
//   - No I/O happens behind anybody's back: bytes move only while a caller
//     waits, and under that caller's ctx.
//   - No call on one half waits for the other half, even over a transport
//     without any buffer.
//
// # Handshake
//
// It is done by the first call that needs it, once, and by whichever caller is
// there: others who need it wait for its end, and if the one that moves the
// bytes is cancelled another takes over. When it fails everybody gets the error,
// then and for ever after. Close on an unused stream does it as well, so that
// the peer gets an authenticated end.
//
// When this side is the one that refuses, the peer is sent the alert that says
// why before the error is returned, and given a few seconds to take it.
//
// # Errors
//
// What a peer, a certificate or the transport did wrong is
// [trigo.ErrBroken], with the cause beside it: a
// *[crypto/tls.CertificateVerificationError], a
// [crypto/tls.RecordHeaderError], a [net.OpError] "remote error" for an alert,
// or whatever the transport said. A receive side that broke does not stop a
// cut send side from being told so, and the other way round: data that came
// before the peer was gone can still be received.
//
// # Differences from crypto/tls and from Trio
//
// Renegotiation (TLS 1.2 and older) is always refused. A send that is
// cancelled has encrypted what its [trigo.OpError] counts; whatever of that the
// transport has not taken yet goes out first with the next call that sends, an
// empty SendAll included. Key updates of the peer are answered the same way:
// together with the next data.
//
// Trio: trio.SSLStream and its relatives.
package tlsstream
