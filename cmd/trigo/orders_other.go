//go:build !unix

package main

import (
	"context"
	"os"

	"trigo/signals"
)

// openOrders returns nil: there are no such signals here.
func openOrders(listens bool) (*signals.Receiver, error) { return nil, nil }

func (j *job) obey(ctx context.Context, sig os.Signal) { j.list() }
