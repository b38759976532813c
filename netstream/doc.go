// Package netstream is TCP and Unix sockets as trigo streams: dial, listen,
// serve.
//
// [DialTCP] races the addresses of a name (happy eyeballs, RFC 8305) and keeps
// a report of every attempt. [ListenTCP] opens one listener for each address,
// [ServeTCP] runs a handler for each connection. [DialUnix], [ListenUnix] and
// [ServeUnix] do the same for Unix sockets.
//
// A [Stream] can be closed halfway ([Stream.SendEOF]), forcefully
// ([trigo.CloseForcefully]) and unmistakably ([Stream.Abort]).
package netstream
