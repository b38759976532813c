// Package proxy speaks the protocols by which a stream passes a third party:
// HTTP CONNECT ([Connect], [AcceptConnect]), SOCKS5 ([SOCKS5]), and the PROXY
// protocol with which a proxy says on whose behalf it comes ([SendHeader],
// [AcceptHeader]).
//
// # The stream stays what it is
//
// A handshake takes the bytes that belong to it and not one more, so nothing
// is left over that a wrapper would have to hold. When a call returns nil, the
// stream that it was given leads to the target, with its half-close, its
// layers and its fast paths as they were. To go through several proxies, make
// several calls; TLS goes on top wherever it is wanted:
//
//	s, err := netstream.DialTCP(ctx, "proxy.example:3128", nil)
//	...
//	err = proxy.Connect(ctx, s, "site.example:443", nil)
//	...
//	t := tlsstream.Client(s, &tls.Config{ServerName: "site.example"}, nil)
//
// # Errors and cancellation
//
// Each call sends and receives as the sender and the receiver of its stream,
// and waits for the other side. How long, is limited by ctx alone, so give it a
// deadline: the other side may say nothing for ever.
//
// After an error, a cancel included, the conversation stands somewhere in the
// middle, and the stream is good for nothing but closing, certainly not for
// another attempt. No call closes it: it is the caller's before and after. Only
// a mistake in the arguments is found before anything was sent.
//
// The errors are [*trigo.OpError]. They are [ErrRefused] if the proxy said no,
// [ErrProtocol] if what came is not what the protocol allows (it may be
// garbage, or too long), [io.ErrUnexpectedEOF] if the other side ended in the
// middle, and otherwise what the stream itself says.
package proxy
