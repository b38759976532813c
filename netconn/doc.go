// Package netconn lets whatever speaks [net.Conn] run over any trigo stream,
// and whatever is a net.Conn run under trigo.
//
// [Conn] makes a net.Conn of a stream, [Listener] a [net.Listener] of a
// listener, and [Dialer] and [AddressDialer] make the functions that clients of
// all sorts want for dialling. The other way lead [Stream] and [FromListener].
// [Reader], [Writer] and [ReadWriter] are for those who know only package io.
//
//	server := &http.Server{Handler: handler}
//	err := server.Serve(netconn.Listener(listener, nil)) // TLS in TLS, say
//
// A round trip costs nothing: the Stream of a Conn is the stream it was made
// of.
//
// # What a net.Conn can do, and what not
//
// The connection has the deadlines of a net.Conn in place of a ctx for each
// call. Any number of calls may be made at the same time; they take turns. When
// its stream can be closed halfway the connection has the method CloseWrite.
//
// Its errors are [*net.OpError], with what is usual in package net inside:
// [os.ErrDeadlineExceeded], [net.ErrClosed]; or else what the stream says, so that
// [trigo.ErrBroken] and [trigo.ErrTruncated] can still be told apart. [io.EOF] is
// bare, and as everywhere only a proven end.
//
// It is no *tls.Conn, whatever it stands on, nor a *net.TCPConn, and programs
// that look for these have to be told what they want to know. To package net/http
// a connection over trigo's TLS is one without: it speaks HTTP/2 on it if both
// http.Server and http.Transport have UnencryptedHTTP2 among their Protocols, and
// the URL begins with "http:". [trigo.As] finds the layers of a connection as it
// finds those of a stream.
package netconn
