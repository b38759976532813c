package endpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trigo/netstream"
	"trigo/socket"
)

// connectionOptions are those of TCP connections.
var connectionOptions = []Option{
	{Key: "nodelay", Type: Bool, Default: "on", Help: "send small pieces at once"},
	{Key: "keepalive", Type: Duration, Default: "15s", Help: "look for a silent peer this often"},
	{Key: "user-timeout", Type: Duration, Help: "give a connection up when nothing was acknowledged for so long (Linux)"},
	{Key: "notsent-lowat", Type: Size, Help: "keep no more unsent data than this in the kernel (Linux)"},
}

// bufferOptions are those of all sockets.
var bufferOptions = []Option{
	{Key: "sndbuf", Type: Size, Help: "the kernel's buffer for sending"},
	{Key: "rcvbuf", Type: Size, Help: "the kernel's buffer for receiving"},
}

// socketOptions are those of all IP sockets.
var socketOptions = append([]Option{
	{Key: "mark", Type: Int, Help: "the mark of the packets, for routing (Linux, privileged)"},
	{Key: "if", Type: Text, Help: "the interface to use (Linux)"},
}, bufferOptions...)

// socketSettings are the options of sockets of one layer.
type socketSettings struct {
	early []socketOption // set when the socket is new
	late  []socketOption // set when it is connected
}

// A socketOption is set with one call of the system.
type socketOption struct {
	key        string
	level, opt int
	value      int
	text       string // in place of value
}

func (o socketOption) apply(s *socket.Socket) error {
	var err error
	if o.text != "" {
		err = s.SetsockoptBytes(o.level, o.opt, []byte(o.text))
	} else {
		err = s.SetsockoptInt(o.level, o.opt, o.value)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.key, err)
	}
	return nil
}

// socketSettings reads the options that are about sockets.
func (s *setup) socketSettings() (*socketSettings, error) {
	all := new(socketSettings)
	for _, key := range []string{"reuseport", "mark", "if", "sndbuf", "rcvbuf", "nodelay", "keepalive", "user-timeout", "notsent-lowat"} {
		if !s.set(key) {
			continue
		}
		o, _ := s.kind.option(key)
		value := 0
		switch o.Type {
		case Bool:
			if s.on(key) {
				value = 1
			}
		case Int:
			value = s.number(key)
		case Size:
			value = int(min(s.size(key), 1<<30))
		case Duration:
			value = int(min(s.duration(key), 24*24*time.Hour) / time.Millisecond)
		}
		early, late, known := systemOption(key, value, s.text(key))
		if !known {
			return nil, s.failure(key, "", errors.ErrUnsupported)
		}
		all.early = append(all.early, early...)
		all.late = append(all.late, late...)
	}
	return all, nil
}

// inject returns a ctx under which new sockets get the early options. Only then do
// they come from package socket.
func (o *socketSettings) inject(ctx context.Context) context.Context {
	if len(o.early) == 0 {
		return ctx
	}
	return socket.WithSocketFactory(ctx, func(outer context.Context, family, typ, proto int) (*socket.Socket, error) {
		s, err := socket.New(socket.WithSocketFactory(outer, nil), family, typ, proto)
		if err != nil {
			return nil, err
		}
		for _, option := range o.early {
			if err := option.apply(s); err != nil {
				s.Close(outer)
				return nil, err
			}
		}
		return s, nil
	})
}

// tune sets the late options of a connection.
func (o *socketSettings) tune(conn *netstream.Stream) error {
	if len(o.late) == 0 {
		return nil
	}
	s, err := conn.Socket()
	if err != nil {
		return err
	}
	for _, option := range o.late {
		if err := option.apply(s); err != nil {
			return err
		}
	}
	return nil
}
