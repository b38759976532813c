package netconn

import (
	"context"
	"net"

	"trigo"
)

// Dialer returns dial in the shape that most clients take: DialContext and
// DialTLSContext of http.Transport, DialFunc of pgx, Dialer of go-redis. dial is
// given the address; a client that asks for a network is not asked which.
//
//	transport := &http.Transport{DialContext: netconn.Dialer(
//		func(ctx context.Context, _ string) (*netstream.Stream, error) {
//			return netstream.DialUnix(ctx, "/run/docker.sock")
//		}, nil)}
//
// The ctx is for dialling only: the connection outlives it.
func Dialer[S trigo.Stream](dial func(ctx context.Context, address string) (S, error), opts *Options) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		return dialConn(ctx, dial, address, opts)
	}
}

// AddressDialer is [Dialer] for those who ask for no network:
// grpc.WithContextDialer, mysql.RegisterDialContext.
func AddressDialer[S trigo.Stream](dial func(ctx context.Context, address string) (S, error), opts *Options) func(ctx context.Context, address string) (net.Conn, error) {
	return func(ctx context.Context, address string) (net.Conn, error) {
		return dialConn(ctx, dial, address, opts)
	}
}

func dialConn[S trigo.Stream](ctx context.Context, dial func(context.Context, string) (S, error), address string, opts *Options) (net.Conn, error) {
	s, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return Conn(s, opts), nil
}
