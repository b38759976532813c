package socket

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openOrSkip opens a socket that not everybody may have.
func openOrSkip(t *testing.T, family, typ, proto int) *Socket {
	t.Helper()
	s, err := New(context.Background(), family, typ, proto)
	if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EPROTONOSUPPORT) {
		t.Skipf("no such sockets for us: %v", err)
	}
	ok(t, err)
	closeLater(t, s)
	return s
}

func TestCredentialsComeWithDescriptors(t *testing.T) {
	a, b := pair(t, stream)
	ok(t, b.SetsockoptInt(unix.SOL_SOCKET, unix.SO_PASSCRED, 1))
	self := &unix.Ucred{Pid: int32(os.Getpid()), Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}
	control := append(unix.UnixCredentials(self), unix.UnixRights(0)...)
	ok(t, a.SendMsg(bounded(t), &Message{Buffers: [][]byte{[]byte("x")}, Control: control}, 0))
	m := Message{Buffers: [][]byte{make([]byte, 1)}, Control: make([]byte, 128)}
	ok(t, b.RecvMsg(bounded(t), &m, 0))
	found, err := unix.ParseSocketControlMessage(m.Control[:m.ControlN])
	ok(t, err)
	var creds *unix.Ucred
	var fds []int
	for i := range found {
		switch found[i].Header.Type {
		case unix.SCM_CREDENTIALS:
			creds, err = unix.ParseUnixCredentials(&found[i])
		case unix.SCM_RIGHTS:
			fds, err = unix.ParseUnixRights(&found[i])
		}
		ok(t, err)
	}
	for _, fd := range fds {
		unix.Close(fd)
	}
	if creds == nil || *creds != *self || len(fds) != 1 {
		t.Errorf("credentials %+v, want %+v; %d descriptors", creds, self, len(fds))
	}
	peer, err := GetsockoptStruct[unix.Ucred](b, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if peer != *self || err != nil {
		t.Errorf("peer %+v, %v", peer, err)
	}
}

// Trio: test_send_recv_variants, MSG_MORE
func TestMoreJoinsDatagrams(t *testing.T) {
	ctx := bounded(t)
	a, _ := bound(t, inet, dgram)
	b, to := bound(t, inet, dgram)
	pieces := func(m *Message) func(flags int) error {
		return func(flags int) error { return a.SendMsg(ctx, m, flags) }
	}
	for name, send := range map[string]func(flags int) error{
		"SendTo":         func(flags int) error { _, err := a.SendTo(ctx, []byte("ab"), flags, to); return err },
		"SendToAddrPort": func(flags int) error { _, err := a.SendToAddrPort(ctx, []byte("ab"), flags, to.AddrPort); return err },
		"SendMsg":        pieces(&Message{Buffers: [][]byte{[]byte("a"), []byte("b")}, Addr: to}),
	} {
		ok(t, send(unix.MSG_MORE))
		ok(t, send(unix.MSG_MORE))
		if b.IsReadable() {
			t.Errorf("%s: sent before the end", name)
		}
		ok(t, send(0))
		buf := make([]byte, 16)
		if n, err := b.Recv(ctx, buf, 0); string(buf[:n]) != "ababab" || err != nil {
			t.Errorf("%s: %q, %v", name, buf[:n], err)
		}
	}
}

func TestRawICMPEcho(t *testing.T) {
	s := openOrSkip(t, inet, syscall.SOCK_RAW, syscall.IPPROTO_ICMP)
	if s.String() != "ip raw socket" {
		t.Errorf("named %q", s)
	}
	request := []byte{8, 0, 0, 0, 0x12, 0x34, 0, 1, 'p', 'i', 'n', 'g'}
	var sum uint32
	for i := 0; i < len(request); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(request[i:]))
	}
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(request[2:], ^uint16(sum))
	ctx := bounded(t)
	_, err := s.SendTo(ctx, request, 0, loopback(inet, 0))
	ok(t, err)
	buf := make([]byte, 1500)
	for { // the request comes by as well
		n, from, err := s.RecvFrom(ctx, buf, 0)
		ok(t, err)
		icmp := buf[int(buf[0]&15)*4 : n]
		if icmp[0] == 0 && bytes.Equal(icmp[4:], request[4:]) {
			if ip, isIP := from.(IPAddr); !isIP || !ip.Addr().IsLoopback() {
				t.Errorf("answer from %v", from)
			}
			return
		}
	}
}

func TestNetlinkRouteDump(t *testing.T) {
	s := openOrSkip(t, unix.AF_NETLINK, syscall.SOCK_RAW, unix.NETLINK_ROUTE)
	ctx := bounded(t)
	ok(t, s.Bind(ctx, NetlinkAddr{}))
	name, err := s.Getsockname()
	if a, isNetlink := name.(NetlinkAddr); err != nil || !isNetlink || a.PID == 0 {
		t.Fatalf("named %v, %v", name, err)
	}
	request := make([]byte, unix.SizeofNlMsghdr+unix.SizeofRtMsg)
	binary.NativeEndian.PutUint32(request, uint32(len(request)))
	binary.NativeEndian.PutUint16(request[4:], unix.RTM_GETROUTE)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	_, err = s.SendTo(ctx, request, 0, NetlinkAddr{})
	ok(t, err)
	routes := 0
	buf := make([]byte, 64<<10)
	for {
		n, from, err := s.RecvFrom(ctx, buf, 0)
		ok(t, err)
		if from != Addr(NetlinkAddr{}) {
			t.Errorf("answer from %v, want the kernel", from)
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		ok(t, err)
		for _, m := range messages {
			switch m.Header.Type {
			case unix.RTM_NEWROUTE:
				routes++
			case unix.NLMSG_DONE:
				if routes == 0 {
					t.Error("not even the one to the loopback")
				}
				return
			}
		}
	}
}

func TestVsockLoopback(t *testing.T) {
	l := openOrSkip(t, unix.AF_VSOCK, stream, 0)
	ctx := bounded(t)
	ok(t, l.Bind(ctx, VsockAddr{CID: unix.VMADDR_CID_ANY, Port: unix.VMADDR_PORT_ANY}))
	ok(t, l.Listen(0))
	name, err := l.Getsockname()
	ok(t, err)
	addr, isVsock := name.(VsockAddr)
	if !isVsock || addr.Port == unix.VMADDR_PORT_ANY {
		t.Fatalf("named %v", name)
	}
	c := open(t, unix.AF_VSOCK, stream, 0)
	short, cancel := context.WithTimeout(ctx, 500*time.Millisecond) // without the module, nobody answers
	defer cancel()
	if err := c.Connect(short, VsockAddr{CID: unix.VMADDR_CID_LOCAL, Port: addr.Port}); err != nil {
		t.Skipf("no vsock loopback on this machine (module vsock_loopback): %v", err)
	}
	s, from, err := l.Accept(ctx)
	ok(t, err)
	closeLater(t, s)
	if a, isVsock := from.(VsockAddr); !isVsock || a.CID != unix.VMADDR_CID_LOCAL {
		t.Errorf("from %v", from)
	}
	_, err = c.Send(ctx, []byte("x"), 0)
	ok(t, err)
	if n, err := s.Recv(ctx, make([]byte, 1), 0); n != 1 || err != nil {
		t.Error(n, err)
	}
}

func TestPacketSocketSeesTheLoopback(t *testing.T) {
	s := openOrSkip(t, unix.AF_PACKET, dgram, 0)
	const lo = 1
	ctx := bounded(t)
	ok(t, s.Bind(ctx, PacketAddr{Protocol: unix.ETH_P_IP, Interface: lo}))
	a, _ := bound(t, inet, dgram)
	_, to := bound(t, inet, dgram)
	_, err := a.SendTo(ctx, []byte("needle in a packet"), 0, to)
	ok(t, err)
	buf := make([]byte, 64<<10)
	for {
		n, from, err := s.RecvFrom(ctx, buf, 0)
		ok(t, err)
		if !bytes.HasSuffix(buf[:n], []byte("needle in a packet")) {
			continue
		}
		if p, isPacket := from.(PacketAddr); !isPacket || p.Interface != lo || p.Protocol != unix.ETH_P_IP || len(p.Hardware) != 6 {
			t.Errorf("from %+v", from)
		}
		return
	}
}

func TestRawAddressOfAnyFamily(t *testing.T) {
	s := open(t, inet, dgram, 0)
	data := make([]byte, 14) // port 0, 127.0.0.1
	copy(data[2:], []byte{127, 0, 0, 1})
	ok(t, s.Bind(bounded(t), RawAddr{AddrFamily: inet, Data: string(data)}))
	if name, err := s.Getsockname(); err != nil || name.(IPAddr).Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("named %v, %v", name, err)
	}
}

func TestBatchTellsSendersThatAreNotIP(t *testing.T) {
	a, b := open(t, unixAF, dgram, 0), open(t, unixAF, dgram, 0)
	ok(t, a.Bind(bounded(t), UnixAddr{Abstract: true})) // the kernel chooses
	ok(t, b.Bind(bounded(t), UnixAddr{Abstract: true}))
	name := must[Addr](t)(a.Getsockname())
	to := must[Addr](t)(b.Getsockname())
	for range 2 {
		_, err := a.SendTo(bounded(t), []byte("x"), 0, to)
		ok(t, err)
	}
	in := []Message{{Buffers: [][]byte{make([]byte, 1)}}, {Buffers: [][]byte{make([]byte, 1)}}}
	n, err := b.RecvBatch(bounded(t), in, 0)
	if n != 2 || err != nil || in[0].Addr != name || in[1].Addr != name {
		t.Errorf("%d: %+v, %v; want the sender %v", n, in, err, name)
	}
}
