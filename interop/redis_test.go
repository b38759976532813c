package interop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"trigo"
	"trigo/netconn"
	"trigo/tlsstream/devcert"
	"trigo/trigotest"
)

// A redisServer is a real one, on a Unix socket and two ports.
type redisServer struct{ socket, port, tlsPort string } // tlsPort is empty if it cannot

func startRedis(t *testing.T) redisServer {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed")
	}
	dir := shortDir(t)
	certs, key, err := devcert.PEM(testIdentity().leaf)
	check(t, err)
	for name, text := range map[string][]byte{"cert": certs, "key": key} {
		check(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	s := redisServer{filepath.Join(dir, "redis"), freePort(t), freePort(t)}
	args := []string{program, "--dir", dir, "--save", "", "--bind", "127.0.0.1", "--port", s.port, "--unixsocket", s.socket}
	if redisHasTLS(program) {
		args = append(args, "--tls-port", s.tlsPort, "--tls-auth-clients", "no",
			"--tls-cert-file", filepath.Join(dir, "cert"), "--tls-key-file", filepath.Join(dir, "key"))
	} else {
		s.tlsPort = ""
	}
	startServer(t, "Ready to accept connections", nil, args...)
	return s
}

// redisHasTLS looks whether the program was built with OpenSSL.
func redisHasTLS(program string) bool {
	text, err := os.ReadFile(program)
	return err == nil && strings.Contains(string(text), "libssl")
}

func TestRedis(t *testing.T) {
	server := startRedis(t)
	t.Run("its own Unix socket", func(t *testing.T) {
		trigotest.LeakCheck(t)
		testRedis(t, dialUnix(server.socket))
	})
	t.Run("its own port", func(t *testing.T) {
		trigotest.LeakCheck(t)
		testRedis(t, dialTCP(net.JoinHostPort("127.0.0.1", server.port)))
	})
	t.Run("its own TLS", func(t *testing.T) {
		if server.tlsPort == "" {
			t.Skip("this redis-server was built without TLS")
		}
		trigotest.LeakCheck(t)
		testRedis(t, dialTLS(dialTCP(net.JoinHostPort("127.0.0.1", server.tlsPort))))
	})
	everywhere(t, func(t *testing.T, p place) {
		gateway(t, p, server.socket)
		testRedis(t, p.dial)
	})
}

func testRedis(t *testing.T, dial dialer) {
	client := redis.NewClient(&redis.Options{
		Dialer:                netconn.Dialer(dial, nil),
		ContextTimeoutEnabled: true,
		PoolSize:              4,
		MaxRetries:            -1,
	})
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	value := strings.Repeat("x", 1<<20)
	check(t, client.Set(ctx, "key", value, 0).Err())
	if got, err := client.Get(ctx, "key").Result(); got != value || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := client.Get(ctx, "no such key").Result(); err != redis.Nil {
		t.Errorf("no such key: %v", err)
	}

	pipe := client.Pipeline()
	for i := range 500 {
		pipe.Echo(ctx, fmt.Sprint(i))
	}
	answers, err := pipe.Exec(ctx)
	check(t, err)
	for i, a := range answers {
		if got := a.(*redis.StringCmd).Val(); got != fmt.Sprint(i) {
			t.Fatalf("answer %d is %q", i, got)
		}
	}

	// A call that waits for the server ends by its ctx; others go on.
	late, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	var ne net.Error
	if err := client.BLPop(late, 0, "no such list").Err(); !errors.Is(err, context.DeadlineExceeded) && (!errors.As(err, &ne) || !ne.Timeout()) {
		t.Errorf("a call out of time: %v", err)
	}
	check(t, client.Ping(ctx).Err())

	// What is published on one connection arrives on another.
	channel := t.Name()
	subscription := client.Subscribe(ctx, channel)
	defer subscription.Close()
	_, err = subscription.Receive(ctx) // that it is one
	check(t, err)
	check(t, client.Publish(ctx, channel, "news").Err())
	m, err := subscription.ReceiveMessage(ctx)
	check(t, err)
	if m.Payload != "news" {
		t.Errorf("received %q", m.Payload)
	}
}

// A call that is cancelled during the dial returns. The dial itself is the
// pool's, and ends by the timeout for dialling.
func TestRedisDialIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := memoryPlace(t) // nobody accepts
	client := redis.NewClient(&redis.Options{
		Dialer: netconn.Dialer(func(ctx context.Context, address string) (trigo.Stream, error) {
			cancel()
			return p.dial(ctx, address)
		}, nil),
		DialTimeout: 50 * time.Millisecond, DialerRetries: 1, MaxRetries: -1,
	})
	defer client.Close()
	if err := client.Ping(ctx).Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancel", err)
	}
}
