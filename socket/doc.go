// Package socket is the sockets of the operating system, of every family, with
// a ctx for each call that can wait.
//
// It is the level below package netstream, for what is not a plain stream: UDP
// with all its options, raw and packet sockets, netlink, vsock, descriptors
// passed over Unix sockets, messages by the batch. The calls are those of the
// system and so are the numbers: families, types, options and flags are the
// constants of package syscall or golang.org/x/sys/unix. What is added is:
//
//   - A ctx for each call that can wait. A cancelled call had no effect, but
//     for [Socket.Connect], which closes the socket, and [Socket.SendFile] and
//     [Socket.SendBatch], which say how far they came.
//   - Sockets are non-blocking and close-on-exec from birth.
//   - Addresses are typed: [IPAddr], [UnixAddr], [VsockAddr], [NetlinkAddr],
//     [PacketAddr], and [RawAddr] for any other; [HostAddr] is a name to be
//     looked up. Bad ones are refused before the system sees them, with an
//     [AddrError].
//   - One reader and one writer at a time; another gets [trigo.ErrBusy] at once.
//   - Close wakes everybody, twice is fine, and what is closed says
//     [trigo.ErrClosed].
//   - [Getaddrinfo], [Getnameinfo] and [Getprotobyname], with international
//     names, and hooks for them that come with the ctx: [WithResolver] and
//     [WithSocketFactory].
//
// On a virtual network for tests (package trigo/trigotest/vnet), which also comes
// with the ctx, there are the sockets of TCP and UDP, with all of these calls. What
// only a kernel has is an error there that Is [errors.ErrUnsupported]: most options,
// control data, descriptors.
//
// A socket that is a connected stream becomes one with netstream.FromSocket, and
// every stream and listener of netstream has its socket; both levels share one
// descriptor.
//
// # Errors
//
// All errors are a [*trigo.OpError] around the system's own [syscall.Errno],
// such as [syscall.ECONNREFUSED], or one of the kinds of package trigo.
// A failed call leaves the socket as the system left it. [io.EOF] is bare, and
// is what receiving from a stream returns when the peer has ended it.
//
// With syscall.MSG_DONTWAIT among its flags a call does not wait; when it would
// have to, the error Is [trigo.ErrWouldBlock].
//
// # Platforms
//
// Sockets exist on Linux, macOS and FreeBSD; elsewhere all calls on them return an
// error that Is [errors.ErrUnsupported]. Some families and calls are Linux's
// alone, and say so. Looking up names works everywhere.
package socket
