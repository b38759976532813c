package file

import "context"

func readBytes(ctx context.Context, p Path) ([]byte, error) {
	f, info, err := named(p, 0).await(ctx, 0)
	if err != nil {
		return nil, err
	}
	return readRest(ctx, p, f, info)
}
