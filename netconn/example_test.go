package netconn_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"trigo/netconn"
	"trigo/netstream"
	"trigo/trigotest"
)

// A web server on a Unix socket, and a client for it.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "web")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	l, err := netstream.ListenUnix(ctx, dir+"/sock", nil)
	if err != nil {
		panic(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello from", r.URL.Path)
	})}
	go server.Serve(netconn.Listener(l, nil))
	defer server.Close()

	dial := func(ctx context.Context, _ string) (*netstream.Stream, error) {
		return netstream.DialUnix(ctx, dir+"/sock")
	}
	transport := &http.Transport{DialContext: netconn.Dialer(dial, nil)}
	defer transport.CloseIdleConnections()
	r, err := (&http.Client{Transport: transport}).Get("http://unix/there")
	if err != nil {
		panic(err)
	}
	defer r.Body.Close()
	io.Copy(os.Stdout, r.Body)
	// Output: hello from /there
}

// What knows only package io runs under a ctx.
func ExampleReadWriter() {
	ctx := context.Background()
	a, b := trigotest.NewMemoryPair()
	defer a.Close(ctx)
	defer b.Close(ctx)

	fmt.Fprintln(netconn.Writer(ctx, b), "220 ready")
	rw := netconn.ReadWriter(ctx, a)
	line, err := bufio.NewReader(rw).ReadString('\n')
	fmt.Printf("%q %v\n", line, err)
	// Output: "220 ready\n" <nil>
}

// Any net.Conn becomes a stream.
func ExampleStream() {
	ctx := context.Background()
	x, y := net.Pipe()
	s := netconn.Stream(x)
	defer s.Close(ctx)

	go func() {
		defer y.Close()
		io.WriteString(y, "hello")
	}()
	p := make([]byte, 100)
	n, err := s.ReceiveSome(ctx, p)
	fmt.Printf("%s %v\n", p[:n], err)
	_, err = s.ReceiveSome(ctx, p)
	fmt.Println(err)
	// Output:
	// hello <nil>
	// EOF
}
