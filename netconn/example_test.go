package netconn_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/rpc"
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

// What wants a connection gets one, wherever the stream comes from: the pipes of
// a child, TLS in TLS, memory. A client of SSH is made in the same way.
func ExampleConn() {
	a, b := trigotest.NewMemoryPair()
	server := rpc.NewServer()
	if err := server.RegisterName("Strings", new(Strings)); err != nil {
		panic(err)
	}
	go server.ServeConn(netconn.Conn(b, nil))

	client := rpc.NewClient(netconn.Conn(a, nil))
	defer client.Close()
	var n int
	err := client.Call("Strings.Length", "hello", &n)
	fmt.Println(n, err)
	// Output: 5 <nil>
}

type Strings struct{}

func (*Strings) Length(s string, n *int) error {
	*n = len(s)
	return nil
}

// The function for clients that ask for an address alone, such as those of gRPC
// and MySQL. Which network that is on is the program's choice.
func ExampleAddressDialer() {
	ctx := context.Background()
	dial := netconn.AddressDialer(func(ctx context.Context, address string) (*netstream.Stream, error) {
		return netstream.DialTCP(ctx, address, nil)
	}, nil)

	ls, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
	if err != nil {
		panic(err)
	}
	l := netconn.Listener(ls[0], nil)
	defer l.Close()
	c, err := dial(ctx, l.Addr().String())
	if err != nil {
		panic(err)
	}
	defer c.Close()
	fmt.Println(c.RemoteAddr().Network(), c.RemoteAddr().String() == l.Addr().String())
	// Output: tcp true
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
