// Package netstream is TCP and Unix sockets as trigo streams: dial, listen,
// serve.
//
// [DialTCP] races the addresses of a name (happy eyeballs, RFC 8305) and keeps
// a report of every attempt. [ListenTCP] opens one listener for each address,
// [ServeTCP] runs a handler for each connection. [DialUnix], [ListenUnix] and
// [ServeUnix] do the same for Unix sockets.
//
// [ListenUDP] and [DialUDP] open UDP sockets, of one kind, [UDP]. Every stream,
// listener and UDP socket has the [trigo/socket.Socket] that it shares a descriptor
// with, and [FromSocket] makes a stream of one.
//
// A [Stream] can be closed halfway ([Stream.SendEOF]), forcefully
// ([trigo.CloseForcefully]) and unmistakably ([Stream.Abort]).
package netstream
