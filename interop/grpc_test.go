package interop

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"trigo/netconn"
)

func TestGRPC(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		service := &echoService{waiting: make(chan struct{}), left: make(chan error, 1)}
		client := serveGRPC(t, p, service)
		t.Run("unary", func(t *testing.T) { testUnary(t, client) })
		t.Run("streaming", func(t *testing.T) { testStreaming(t, client) })
		t.Run("cancel", func(t *testing.T) { testCancelledCall(t, client, service) })
		t.Run("deadline", func(t *testing.T) { testLateCall(t, client, service) })
		t.Run("after", func(t *testing.T) { testUnary(t, client) })
	})
}

func testUnary(t *testing.T, client *grpc.ClientConn) {
	for _, size := range []int{0, 1, 1 << 20} {
		question := wrapperspb.Bytes(bytes.Repeat([]byte{7}, size))
		var answer wrapperspb.BytesValue
		check(t, client.Invoke(t.Context(), "/echo.Echo/Say", question, &answer))
		if !bytes.Equal(answer.Value, question.Value) {
			t.Errorf("%d bytes of %d came back", len(answer.Value), size)
		}
	}
}

// Both sides speak at once; the end of one is seen by the other.
func testStreaming(t *testing.T, client *grpc.ClientConn) {
	s, err := client.NewStream(t.Context(), &echoDesc.Streams[0], "/echo.Echo/Talk")
	check(t, err)
	const messages = 200
	sent := make(chan error, 1)
	go func() {
		for i := range messages {
			if err := s.SendMsg(wrapperspb.Bytes(bytes.Repeat([]byte{byte(i)}, 10_000))); err != nil {
				sent <- err
				return
			}
		}
		sent <- s.CloseSend()
	}()
	for i := range messages {
		var m wrapperspb.BytesValue
		check(t, s.RecvMsg(&m))
		if len(m.Value) != 10_000 || m.Value[0] != byte(i) {
			t.Fatalf("message %d is another", i)
		}
	}
	if err := s.RecvMsg(new(wrapperspb.BytesValue)); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
	check(t, <-sent)
}

func testCancelledCall(t *testing.T, client *grpc.ClientConn, service *echoService) {
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-service.waiting
		cancel()
	}()
	err := client.Invoke(ctx, "/echo.Echo/Wait", wrapperspb.Bytes(nil), new(wrapperspb.BytesValue))
	if status.Code(err) != codes.Canceled {
		t.Errorf("the client saw %v", err)
	}
	if err := <-service.left; !errors.Is(err, context.Canceled) {
		t.Errorf("the server saw %v", err)
	}
}

func testLateCall(t *testing.T, client *grpc.ClientConn, service *echoService) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	go func() { <-service.waiting }()
	err := client.Invoke(ctx, "/echo.Echo/Wait", wrapperspb.Bytes(nil), new(wrapperspb.BytesValue))
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("the client saw %v", err)
	}
	<-service.left
}

// echoService is what protoc would have made the interface for.
type echoService struct {
	waiting chan struct{} // gets a token when a Wait is under way
	left    chan error    // gets what it ended with
}

var echoDesc = grpc.ServiceDesc{
	ServiceName: "echo.Echo",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		{MethodName: "Say", Handler: method((*echoService).say)},
		{MethodName: "Wait", Handler: method((*echoService).wait)},
	},
	Streams: []grpc.StreamDesc{{
		StreamName: "Talk", ClientStreams: true, ServerStreams: true,
		Handler: func(_ any, s grpc.ServerStream) error {
			for {
				var m wrapperspb.BytesValue
				if err := s.RecvMsg(&m); err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
				if err := s.SendMsg(&m); err != nil {
					return err
				}
			}
		},
	}},
}

func method(f func(*echoService, context.Context, *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error)) grpc.MethodHandler {
	return func(service any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var m wrapperspb.BytesValue
		if err := decode(&m); err != nil {
			return nil, err
		}
		return f(service.(*echoService), ctx, &m)
	}
}

func (*echoService) say(_ context.Context, m *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error) {
	return m, nil
}

func (s *echoService) wait(ctx context.Context, _ *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error) {
	s.waiting <- struct{}{}
	<-ctx.Done()
	s.left <- ctx.Err()
	return nil, ctx.Err()
}

func serveGRPC(t *testing.T, p place, service *echoService) *grpc.ClientConn {
	server := grpc.NewServer()
	server.RegisterService(&echoDesc, service)
	served := make(chan error, 1)
	go func() { served <- server.Serve(p.listen()) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	client, err := grpc.NewClient("passthrough:///"+serverName,
		grpc.WithContextDialer(netconn.AddressDialer(p.dial, nil)),
		grpc.WithTransportCredentials(insecure.NewCredentials())) // trigo's TLS is below
	check(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}
