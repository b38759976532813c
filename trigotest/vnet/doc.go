// Package vnet is a network in memory, for tests of whole programs: hosts with
// addresses, names, latency, lost packets, resets, partitions. Inside a bubble
// of [testing/synctest] it runs in virtual time, and all chance in it comes from
// a seed.
//
// A program is put on a host by its ctx, and is otherwise unchanged:
//
//	net := vnet.New(1)
//	client, server := net.Host("client", "10.0.0.1"), net.Host("server", "10.0.0.2")
//	net.Name("example.test", "10.0.0.2")
//	net.Link(client, server, vnet.Link{Latency: 20 * time.Millisecond})
//
//	go netstream.ServeTCP(server.Context(ctx), ":80", handler, nil)
//	s, err := netstream.DialTCP(client.Context(ctx), "example.test:80", nil)
//
// Whatever of trigo opens TCP or UDP sockets or looks up names finds the host in
// the ctx: package netstream, package socket, and what is built on them. A
// socket.Socket does there all that it does on the kernel, except for what only
// the kernel has: options (but for IPV6_V6ONLY and a few that make no difference),
// control data, urgent data, descriptors, and sockets other than those of TCP and
// UDP. That is an error that Is [errors.ErrUnsupported]. Unix sockets of
// netstream, and socket.Pair, are the machine's own still.
//
// # What it is like
//
// TCP is modelled as what its users see of it. Bytes are cut into segments and
// arrive in order, after the latency of the link; a segment that is lost comes
// later, as if sent again; a sender that is 64 KiB ahead of the receiver's
// program waits. A Close with input unread is a reset, and so is the answer to
// what is sent to a closed end. A port where nobody listens refuses after a
// round trip, an address that nobody has is unreachable, and a dial into a
// partition times out after 127 seconds. Established connections outlive a
// partition of any length: what was sent arrives when it heals.
//
// UDP datagrams are lost, doubled, delayed and overtaken by each other, as the
// link has it. Nobody is told that nobody was there.
//
// A link with a [Link.Bandwidth] carries one packet after the other.
//
// # Determinism
//
// Each flow, one direction of one connection, has dice of its own, so the order in
// which goroutines run within one instant changes nothing for the others.
// [Network.Log] returns what has happened in an order that is a function of the
// seed and the program. A program that lets goroutines race for the order of its
// own dials, of its datagrams, or of its turns on a link with a bandwidth, gets
// different ports, fates or times.
//
// [Network.Counts] tells how often each misfortune came about: one that was
// planned and never happened has tested nothing.
package vnet
