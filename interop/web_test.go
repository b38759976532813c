package interop

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"trigo/netconn"
	"trigo/netstream"
	"trigo/tlsstream"
)

// The servers that wrk is set upon. Both are the same server with the same
// certificate and the same TLS; one has it on package net's listener, as usual,
// the other on trigo's.

// serveWeb is the child: it says where it listens, and serves until its stdin
// ends.
func serveWeb(args []string) error {
	server := &http.Server{
		Handler:  http.HandlerFunc(hello),
		ErrorLog: log.New(io.Discard, "", 0), // wrk looks first whether anybody is there, and speaks no TLS
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		server.Close()
	}()
	var err error
	switch kind := args[0]; kind {
	case "net":
		var l net.Listener
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
		fmt.Println(l.Addr())
		server.TLSConfig = serverConfig()
		err = server.ServeTLS(l, "", "")
	case "trigo":
		ls, e := netstream.ListenTCP(context.Background(), "127.0.0.1:0", nil)
		if e != nil {
			return e
		}
		l := netconn.Listener(tlsstream.NewListener(ls[0], serverConfig("http/1.1"), nil), nil)
		fmt.Println(l.Addr())
		err = server.Serve(l)
	default:
		err = fmt.Errorf("no such server: %s", kind)
	}
	if err == http.ErrServerClosed {
		return nil
	}
	return err
}

func hello(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, "hello, world\n")
}
