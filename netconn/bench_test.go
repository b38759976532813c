package netconn

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"trigo/internal/bench"
	"trigo/netstream"
)

// These measure a connection over a netstream.Stream against the net.Conn that
// the stream is made of, by turns in one run: the time of ours over theirs.
//
//	go test -run '^$' -bench Ratio -benchtime 20000x ./netconn

// bothKinds returns two pairs over TCP: one of ours, one of package net.
func bothKinds(b *testing.B) (ours, theirs [2]net.Conn) {
	ours[0], ours[1] = pair(b, tcpPair)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	defer l.Close()
	theirs[0], err = net.Dial("tcp", l.Addr().String())
	check(b, err)
	theirs[1], err = l.Accept()
	check(b, err)
	b.Cleanup(func() { theirs[0].Close(); theirs[1].Close() })
	return ours, theirs
}

// echo sends everything back, without the short ways of package io.
func echo(c net.Conn) {
	io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{c}, make([]byte, 64<<10))
}

func pingPong(b *testing.B, c net.Conn, before func(net.Conn)) func(n int) {
	p := make([]byte, 64)
	return func(n int) {
		for range n {
			before(c)
			if _, err := c.Write(p); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(c, p); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func benchmarkPingPong(b *testing.B, before func(net.Conn)) {
	ours, theirs := bothKinds(b)
	go echo(ours[1])
	go echo(theirs[1])
	bench.Ratio(b, "net", pingPong(b, ours[0], before), pingPong(b, theirs[0], before))
}

func BenchmarkPingPongRatio(b *testing.B) { benchmarkPingPong(b, func(net.Conn) {}) }

// With a deadline for each round, as protocols with timeouts do it.
func BenchmarkPingPongWithDeadlinesRatio(b *testing.B) {
	benchmarkPingPong(b, func(c net.Conn) { c.SetDeadline(time.Now().Add(time.Minute)) })
}

// GET over one connection. net/http wakes its own reader with a deadline in
// the past, once in each request.
func BenchmarkHTTPRatio(b *testing.B) {
	get := func(l net.Listener, dial func(ctx context.Context, network, address string) (net.Conn, error)) func(n int) {
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })}
		go server.Serve(l)
		b.Cleanup(func() { server.Close() })
		transport := &http.Transport{DialContext: dial}
		b.Cleanup(transport.CloseIdleConnections)
		url := "http://" + l.Addr().String()
		return func(n int) {
			for range n {
				r, err := (&http.Client{Transport: transport}).Get(url)
				if err != nil {
					b.Fatal(err)
				}
				io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
		}
	}
	ls, err := netstream.ListenTCP(b.Context(), "127.0.0.1:0", nil)
	check(b, err)
	theirs, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	var d net.Dialer // the clients are the same
	bench.Ratio(b, "net", get(Listener(ls[0], nil), d.DialContext), get(theirs, d.DialContext))
}
