// Command proxyget fetches a page over HTTPS through a proxy that speaks HTTPS
// itself, by hand: TLS to the proxy, CONNECT within it, TLS to the site within
// that.
//
//	proxyget proxy.example:8443 www.example /index.html
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"os"

	"trigo"
	"trigo/signals"
	"trigo/tlsstream"
)

func main() {
	err := signals.Shutdown(context.Background(), func(ctx context.Context) error {
		return get(ctx, os.Args[1], os.Args[2], os.Args[3], nil)
	})
	if err != nil {
		log.Fatal(err)
	}
}

// get writes the answer to standard output. Both servers are trusted by config.
func get(ctx context.Context, proxy, site, path string, config *tls.Config) error {
	outer, err := tlsstream.DialTCP(ctx, proxy, config, nil)
	if err != nil {
		return err
	}
	defer trigo.CloseForcefully(outer) // after an error; Close ends it well below
	if err := send(ctx, outer, "CONNECT %s:443 HTTP/1.1\r\nHost: %s:443\r\n\r\n", site, site); err != nil {
		return err
	}
	reply := trigo.NewBufferedReceiver(outer)
	header, err := reply.ReceiveUntil(ctx, []byte("\r\n\r\n"), 64<<10)
	if err != nil {
		return err
	}
	var status int
	if _, err := fmt.Sscanf(string(header), "HTTP/1.%d %d", new(int), &status); err != nil || status != 200 {
		return fmt.Errorf("the proxy answers %q", header)
	}

	config = config.Clone() // the name is another one
	if config == nil {
		config = &tls.Config{}
	}
	config.ServerName, _, _ = net.SplitHostPort(site + ":443")
	// What came behind the header belongs to the site.
	inner := tlsstream.Client(trigo.Staple(outer, reply), config, nil)
	defer trigo.CloseForcefully(inner)
	if err := send(ctx, inner, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, site); err != nil {
		return err
	}
	for chunk, err := range trigo.Chunks(ctx, inner) {
		if err != nil {
			return err // the page was cut: to a plain HTTP/1.0 client it would look whole
		}
		os.Stdout.Write(chunk)
	}
	return inner.Close(ctx) // and what is beneath it
}

func send(ctx context.Context, s trigo.SendStream, format string, args ...any) error {
	return s.SendAll(ctx, fmt.Appendf(nil, format, args...))
}
