package endpoint

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"trigo"
	"trigo/netstream"
)

func TestALayerIsWhatItWasToldToBe(t *testing.T) {
	e := parsed(t, "tls:h:443,min=1.3,alpn=h2")
	layers := e.Layers()
	if len(layers) != 2 || layers[0].Name() != "tls" || layers[0].Argument() != "h" || layers[0].Kind().Role != Wraps ||
		layers[1].String() != "tcp:h:443" || e.Listens() || !e.Uses("tcp") || e.Uses("exec") {
		t.Errorf("%v", layers)
	}
	settings := layers[0].Settings()
	if len(settings) != 2 || settings[0].Key != "alpn" || settings[0].Value.String() != "h2" || settings[1].Value != (Value{Text: "1.3"}) {
		t.Errorf("%+v", settings)
	}
	if !e.Equal(parsed(t, "tls:h,alpn=h2,min=1.3+h:443")) || e.Equal(parsed(t, "tls:h,alpn=h2+h:443")) {
		t.Error("what is equal is not, or the other way round")
	}
	if !parsed(t, "tls-server:1,self-signed").Listens() || (Endpoint{}).Listens() {
		t.Error("who listens?")
	}
}

// With two listeners, which both may accept, the one slot is for who opens first.
func TestAConnectionThatCameTooEarlyWaitsInOpen(t *testing.T) {
	ctx := limited(t)
	recipe, err := parsed(t, "tcp-listen:127.0.0.1:0,max=1").Prepare(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	listeners, err := recipe.Listen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	l := listeners[0]
	other := newListener(recipe, l.source, l.slots)
	defer l.Close(ctx)
	address := l.Addr().String()

	dial(t, nil, "tcp:%s", address)
	dial(t, nil, "tcp:%s", address)
	early := make(chan *Incoming, 1)
	go func() { // it finds room, and waits for a connection
		in, err := other.Accept(ctx)
		if err != nil {
			t.Error(err)
		}
		early <- in
	}()
	in := <-early
	if in.RemoteAddr() == nil || in.String() != in.Transport().(*netstream.Stream).String() {
		t.Errorf("%v from %v", in, in.RemoteAddr())
	}

	// Nobody else is accepted now; to come too early takes somebody who was already
	// waiting, as here.
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if _, err := l.Accept(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Accept at the limit: %v", err)
	}
	transport, err := l.source.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	second := newIncoming(recipe, transport, l.slots)
	opened := make(chan error, 1)
	go func() {
		_, err := second.Open(ctx)
		opened <- err
	}()
	if s, err := in.Open(ctx); err != nil {
		t.Fatal(err)
	} else if found, ok := trigo.As[*netstream.Stream](in); !ok || found != s {
		t.Error("the stream is not found in the connection")
	}
	if _, err := in.Open(ctx); !errors.Is(err, trigo.ErrBusy) {
		t.Errorf("a second Open: %v", err)
	}
	select {
	case err := <-opened:
		t.Errorf("two are open: %v", err)
	default:
	}
	if err := in.Abort(); err != nil {
		t.Error(err)
	}
	if err := in.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
	if err := second.Close(ctx); err != nil {
		t.Error(err)
	}
	if len(l.slots) != 0 {
		t.Errorf("%d slots are taken by nobody", len(l.slots))
	}
}

func TestAnIncomingConnectionThatNobodyOpensIsClosed(t *testing.T) {
	ctx := limited(t)
	listeners, err := parsed(t, "tls-server:127.0.0.1:0,self-signed").Listen(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer listeners[0].Close(ctx)
	s := dial(t, nil, "tcp:%s", listeners[0].Addr())
	in, err := listeners[0].Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Close(ctx); err != nil {
		t.Error(err)
	}
	if got, err := receiveAll(ctx, s); len(got) != 0 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, ok := listeners[0].Underlying().(interface{ Addr() net.Addr }); !ok || listeners[0].Recipe().Endpoint().String() == "" {
		t.Error("nothing below")
	}
}
