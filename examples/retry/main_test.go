package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/trigotest"
	"trigo/trigotest/vnet"
)

var document = strings.Repeat("all of it ", 10_000)

// fetchThrough fetches from a server on a virtual network; the connection of
// each attempt gets the faults of the next plan.
func fetchThrough(t *testing.T, plans ...string) (got string, took time.Duration, err error) {
	t.Helper()
	network := vnet.New(1)
	network.Name("server.test", "10.0.0.2")
	client := network.Host("client", "10.0.0.1").Context(t.Context())
	server := network.Host("server", "10.0.0.2").Context(t.Context())
	start := time.Now()
	serveErr := nursery.Run(server, func(ctx context.Context, n *nursery.Nursery) error {
		defer n.Cancel(nil)
		_, startErr := nursery.Start(ctx, n, func(ctx context.Context, started func(bool)) error {
			return netstream.ServeTCP(ctx, ":80", func(ctx context.Context, s *netstream.Stream) error {
				if s.SendAll(ctx, []byte(document)) == nil {
					s.SendEOF(ctx)
				}
				return nil
			}, &netstream.ServeTCPOptions{Serve: trigo.ServeOptions{Ready: func() { started(true) }}})
		})
		if startErr != nil {
			return startErr
		}
		document, fetchErr := fetch(client, "server.test:80", func(ctx context.Context, address string) (trigo.Stream, error) {
			s, err := dial(ctx, address)
			if err != nil || len(plans) == 0 {
				return s, err
			}
			plan := plans[0]
			plans = plans[1:]
			return trigotest.InjectFaults(t, s, plan), nil
		})
		got, took, err = string(document), time.Since(start), fetchErr
		return nil
	})
	if serveErr != nil {
		t.Error(serveErr)
	}
	return got, took, err
}

func TestFetchAfterAResetAndAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, took, err := fetchThrough(t, "reset@50KB", "stall@10", "chunk=1-100,seed=7")
		if err != nil || got != document {
			t.Errorf("%d bytes of %d, %v", len(got), len(document), err)
		}
		// one second after the reset; ten for the stall, and two after it
		if took < 13*time.Second || took > 14*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestFetchGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, err := fetchThrough(t, "reset@1", "reset@1", "reset@1", "reset@1", "reset@1")
		if !errors.Is(err, trigo.ErrBroken) || strings.Count(err.Error(), "attempt") != attempts {
			t.Error(err)
		}
	})
}
