package proxy_test

import (
	"context"
	"errors"
	"fmt"

	"trigo/nursery"
	"trigo/proxy"
	"trigo/trigotest"
)

func ExampleConnect() {
	ctx := context.Background()
	client, server := trigotest.NewMemoryPair()

	err := nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error { // a proxy that knows one account
			r, err := proxy.AcceptConnect(ctx, server)
			if err != nil {
				return err
			}
			if r.Auth == nil || *r.Auth != (proxy.Auth{User: "me", Password: "secret"}) {
				return r.Refuse(ctx, 407)
			}
			return r.Accept(ctx)
		})
		return proxy.Connect(ctx, client, "site.example:443", nil)
	})

	var refused *proxy.RefusedError
	if errors.As(err, &refused) {
		fmt.Println(refused.Code, refused.Reason)
	}
	// Output: 407 Proxy Authentication Required
}
