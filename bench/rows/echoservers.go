package rows

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"time"

	"github.com/cloudwego/netpoll"
	"github.com/panjf2000/gnet/v2"

	"trigo/netstream"
)

const echoBuffer = 64 << 10

// echoServers are those of the rows with echo servers, trigo first.
var echoServers = []struct {
	name  string
	fewer bool
	lacks func() string
	start func(s *Scope) (address string)
}{
	{name: "trigo", start: child("echo trigo")},
	{name: "net", fewer: true, start: child("echo net")},
	{name: "net with an AfterFunc for each call", start: child("echo afterfunc")},
	{name: "gnet", fewer: true, start: child("echo gnet")},
	{name: "cloudwego/netpoll", fewer: true, start: child("echo netpoll")},
	{name: "tokio", fewer: true, lacks: tokioLacks, start: func(s *Scope) string {
		address, _ := startProgram(s, nil, tokioPeer(), "echo")
		return address
	}},
	{name: "python3-trio", lacks: pythonLacks("trio"), start: python(trioEcho)},
	{name: "python3-anyio", lacks: pythonLacks("anyio"), start: python(anyioEcho)},
	{name: "socat", fewer: true, lacks: func() string { return lacks("socat") }, start: func(s *Scope) string {
		address := freeAddress().String()
		startForeign(s, "tcp", address, "socat", "-b65536",
			"TCP-LISTEN:"+port(address)+",bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=1024", "PIPE")
		return address
	}},
}

func child(name string) func(s *Scope) string {
	return func(s *Scope) string {
		address, _ := startServer(s, name)
		return address
	}
}

func init() {
	servers["echo trigo"] = func(ctx context.Context, ready func(net.Addr)) error {
		return netstream.ServeTCP(ctx, "127.0.0.1:0", func(ctx context.Context, c *netstream.Stream) error {
			echoStream(ctx, c, echoBuffer)
			return nil
		}, &netstream.ServeTCPOptions{Ready: func(ls []*netstream.Listener) { ready(ls[0].Addr()) }})
	}
	servers["echo net"] = serveConns(func(ctx context.Context, c net.Conn) { echoConn(c, echoBuffer) })
	servers["echo afterfunc"] = serveConns(func(ctx context.Context, c net.Conn) { echoConn(ctxConn{c, ctx}, echoBuffer) })
	servers["echo gnet"] = func(ctx context.Context, ready func(net.Addr)) error {
		address := freeAddress()
		return gnet.Run(&gnetEcho{ready: func() { ready(address) }}, "tcp://"+address.String(), gnet.WithMulticore(true))
	}
	servers["echo netpoll"] = func(ctx context.Context, ready func(net.Addr)) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		loop, err := netpoll.NewEventLoop(netpollEcho)
		if err != nil {
			return err
		}
		ready(l.Addr())
		return loop.Serve(l)
	}
}

// serveConns is a server as everyone writes it.
func serveConns(handle func(context.Context, net.Conn)) func(context.Context, func(net.Addr)) error {
	return func(ctx context.Context, ready func(net.Addr)) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		return serveOn(ctx, l, ready, handle)
	}
}

func serveOn(ctx context.Context, l net.Listener, ready func(net.Addr), handle func(context.Context, net.Conn)) error {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	ready(l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			handle(ctx, c)
		}()
	}
}

// freeAddress is for servers that do not tell the port that they got.
func freeAddress() net.Addr {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	return l.Addr()
}

type gnetEcho struct {
	gnet.BuiltinEventEngine
	ready func()
}

func (e *gnetEcho) OnBoot(gnet.Engine) gnet.Action {
	time.AfterFunc(100*time.Millisecond, e.ready) // it listens a little later
	return gnet.None
}

func (e *gnetEcho) OnTraffic(c gnet.Conn) gnet.Action {
	data, _ := c.Next(-1)
	c.Write(data)
	return gnet.None
}

func netpollEcho(ctx context.Context, c netpoll.Connection) error {
	r, w := c.Reader(), c.Writer()
	data, err := r.Next(r.Len())
	if err != nil {
		return err
	}
	if _, err := w.WriteBinary(append([]byte(nil), data...)); err != nil {
		return err
	}
	return errors.Join(w.Flush(), r.Release())
}

// pythonLacks tells whether Debian's python3 has a module.
func pythonLacks(module string) func() string {
	return func() string {
		if exec.Command(debianPython, "-c", "import "+module).Run() != nil {
			return "python3-" + module + " is not installed"
		}
		return ""
	}
}

const debianPython = "/usr/bin/python3"

func python(script string) func(s *Scope) string {
	return func(s *Scope) string {
		address, _ := startProgram(s, nil, debianPython, "-c", script)
		return address
	}
}

const trioEcho = `
import sys, threading, os, trio
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
async def echo(stream):
    try:
        async for data in stream:
            await stream.send_all(data)
    except trio.BrokenResourceError:
        pass
async def main():
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, echo, 0)
        print("127.0.0.1:%d" % listeners[0].socket.getsockname()[1], flush=True)
trio.run(main)
`

const anyioEcho = `
import sys, threading, os, anyio
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
async def echo(stream):
    try:
        async for data in stream:
            await stream.send(data)
    except anyio.BrokenResourceError:
        pass
async def main():
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    print("127.0.0.1:%d" % listener.extra(anyio.abc.SocketAttribute.local_port), flush=True)
    await listener.serve(echo)
anyio.run(main)
`
