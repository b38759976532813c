// Package interop holds tests only: programs that were written for package net,
// on top of trigo's streams by way of package netconn. Clients and servers of
// SSH, gRPC, Redis, PostgreSQL and HTTP talk over TCP, Unix sockets, TLS in TLS,
// the pipes of a child process and memory, and must not notice.
//
// It is a module of its own, so that trigo does not require what they require.
//
//	go test ./...                   the servers of Debian are used where they are installed
//	TRIGO_SOAK=1 go test -run WRK . an HTTP server with 10,000 connections, against net/http's own
package interop
