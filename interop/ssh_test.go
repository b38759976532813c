package interop

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"trigo"
	"trigo/netconn"
)

func TestSSH(t *testing.T) {
	key := sshKey(t)
	everywhere(t, func(t *testing.T, p place) {
		serveSSH(t, p.listen(), key)
		c, err := p.connect(t.Context())
		check(t, err)
		client := sshClient(t, c, key)
		t.Run("session", func(t *testing.T) { testSSHSession(t, client) })
		t.Run("forward", func(t *testing.T) { testSSHForward(t, client) })
		t.Run("keepalive", func(t *testing.T) {
			if ok, _, err := client.SendRequest("keepalive@example.org", true, nil); ok || err != nil {
				t.Errorf("got %v, %v", ok, err)
			}
		})
	})
}

// A command gets its input and its end, and gives output and a status back.
func testSSHSession(t *testing.T, client *ssh.Client) {
	session, err := client.NewSession()
	check(t, err)
	defer session.Close()
	input := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // more than a window
	session.Stdin = bytes.NewReader(input)
	output, err := session.Output("cat")
	var exit *ssh.ExitError
	if !errors.As(err, &exit) || exit.ExitStatus() != 7 {
		t.Errorf("ended with %v, want status 7", err)
	}
	if !bytes.Equal(output, input) {
		t.Errorf("%d bytes of %d came back", len(output), len(input))
	}
}

// A connection through SSH is a stream again, and knows its ends.
func testSSHForward(t *testing.T, client *ssh.Client) {
	echo := tcpPlace(t)
	ended := make(chan error, 1)
	go func() {
		s, err := echo.listener.Accept(context.Background())
		if err == nil {
			err = echoStream(s)
		}
		ended <- err
	}()
	address, ok := trigo.As[interface{ Addr() net.Addr }](echo.listener)
	if !ok {
		t.Fatal("a listener without an address")
	}
	c, err := client.DialContext(t.Context(), "tcp", address.Addr().String())
	check(t, err)
	s := netconn.Stream(c)
	defer s.Close(context.Background())

	// Its connections have no deadlines, so only a ctx that never ends will do.
	withEnd, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := s.SendAll(withEnd, []byte("x")); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("with a ctx that can be cancelled: %v", err)
	}
	ctx := context.Background()
	check(t, s.SendAll(ctx, []byte("hello")))
	check(t, s.SendEOF(ctx))
	got, err := io.ReadAll(netconn.Reader(ctx, s))
	if string(got) != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	check(t, <-ended)
}

func echoStream(s trigo.Stream) error {
	ctx := context.Background()
	defer s.Close(ctx)
	_, err := io.Copy(netconn.Writer(ctx, s), netconn.Reader(ctx, s))
	return err
}

// A handshake with a server that says nothing ends by the deadline of its
// connection, and takes everything with it.
func TestSSHHandshakeTimesOut(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		l := p.listen()
		defer l.Close()
		silence := make(chan error, 1)
		go func() { silence <- listenOnly(l) }()
		c, err := p.connect(t.Context())
		check(t, err)
		check(t, c.SetDeadline(time.Now().Add(50*time.Millisecond)))
		_, _, _, err = ssh.NewClientConn(c, "", sshClientConfig(sshKey(t)))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want a timeout", err)
		}
		c.Close()
		check(t, <-silence)
	})
}

// listenOnly takes one connection, and whatever it says, to its end.
func listenOnly(l net.Listener) error {
	c, err := l.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	io.Copy(io.Discard, c)
	return nil
}

// A cancelled dial through a server that does not answer returns, and leaves the
// connection of the client as it was.
func TestSSHDialIsCancelled(t *testing.T) {
	key := sshKey(t)
	everywhere(t, func(t *testing.T, p place) {
		server := serveSSH(t, p.listen(), key)
		c, err := p.connect(t.Context())
		check(t, err)
		client := sshClient(t, c, key)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-server.asked
			cancel()
		}()
		if _, err := client.DialContext(ctx, "tcp", silent); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want a cancel", err)
		}
		testSSHSession(t, client)
	})
}

// silent is an address that the server never answers about.
const silent = "192.0.2.1:9"

func sshKey(t testing.TB) ssh.Signer {
	_, key, err := ed25519.GenerateKey(nil)
	check(t, err)
	signer, err := ssh.NewSignerFromKey(key)
	check(t, err)
	return signer
}

func sshClientConfig(key ssh.Signer) *ssh.ClientConfig {
	return &ssh.ClientConfig{
		User:            "gopher",
		Auth:            []ssh.AuthMethod{ssh.PublicKeys(key)},
		HostKeyCallback: ssh.FixedHostKey(key.PublicKey()),
	}
}

func sshClient(t *testing.T, c net.Conn, key ssh.Signer) *ssh.Client {
	conn, channels, requests, err := ssh.NewClientConn(c, "", sshClientConfig(key))
	if err != nil {
		c.Close()
		t.Fatal(err)
	}
	client := ssh.NewClient(conn, channels, requests)
	t.Cleanup(func() {
		client.Close()
		client.Wait()
	})
	return client
}

// sshServer knows one command, cat, and forwards connections.
type sshServer struct {
	config *ssh.ServerConfig
	asked  chan struct{} // gets a token for each dial to silent
}

func serveSSH(t *testing.T, l net.Listener, key ssh.Signer) *sshServer {
	s := &sshServer{asked: make(chan struct{}, 1), config: &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, got ssh.PublicKey) (*ssh.Permissions, error) {
			if !bytes.Equal(got.Marshal(), key.PublicKey().Marshal()) {
				return nil, errors.New("another key")
			}
			return nil, nil
		},
	}}
	s.config.AddHostKey(key)
	done := make(chan error, 1)
	go func() { done <- s.serve(l) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// serve serves one connection, to its end.
func (s *sshServer) serve(l net.Listener) error {
	c, err := l.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	conn, channels, requests, err := ssh.NewServerConn(c, s.config)
	if err != nil {
		return err
	}
	go ssh.DiscardRequests(requests)
	for channel := range channels {
		switch channel.ChannelType() {
		case "session":
			go session(channel)
		case "direct-tcpip":
			go s.forward(channel)
		default:
			channel.Reject(ssh.UnknownChannelType, channel.ChannelType())
		}
	}
	conn.Wait()
	return nil
}

func session(offer ssh.NewChannel) {
	channel, requests, err := offer.Accept()
	if err != nil {
		return
	}
	for r := range requests {
		r.Reply(r.Type == "exec", nil)
		if r.Type == "exec" {
			go func() {
				io.Copy(channel, channel)
				channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{7}))
				channel.Close()
			}()
		}
	}
}

func (s *sshServer) forward(offer ssh.NewChannel) {
	var target struct {
		Host   string
		Port   uint32
		Origin string
		From   uint32
	}
	if err := ssh.Unmarshal(offer.ExtraData(), &target); err != nil {
		offer.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	address := net.JoinHostPort(target.Host, fmt.Sprint(target.Port))
	if address == silent {
		s.asked <- struct{}{}
		return
	}
	far, err := dialTCP(address)(context.Background(), "")
	if err != nil {
		offer.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, err := offer.Accept()
	if err != nil {
		trigo.CloseForcefully(far)
		return
	}
	go ssh.DiscardRequests(requests)
	ctx := context.Background()
	go func() {
		io.Copy(netconn.Writer(ctx, far), channel)
		far.(trigo.HalfCloseableStream).SendEOF(ctx)
	}()
	io.Copy(channel, netconn.Reader(ctx, far))
	channel.Close()
	far.Close(ctx)
}
