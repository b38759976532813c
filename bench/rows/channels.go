package rows

import (
	"context"
	"fmt"
	"sync"

	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"

	"trigo/channel"
	"trigo/nursery"
)

func channelRows() []Row {
	rows := []Row{}
	for _, size := range []int{0, 64} {
		for _, each := range []int{1, 8, 64} {
			rows = append(rows, Row{
				Name:  fmt.Sprintf("memory channel of %d, %d senders, %d receivers", size, each, each),
				Setup: func(s *Scope) []Contestant { return channels(s, size, each) },
			})
		}
	}
	for _, subscribers := range []int{1, 8, 64} {
		rows = append(rows, Row{
			Name:  fmt.Sprintf("broadcast to %d", subscribers),
			Setup: func(s *Scope) []Contestant { return broadcasts(s, subscribers) },
		})
	}
	for _, children := range []int{1, 10, 1000} {
		rows = append(rows, Row{
			Name:  fmt.Sprintf("nursery of %d", children),
			Setup: func(s *Scope) []Contestant { return nurseries(s, children) },
		})
	}
	rows = append(rows, Row{Name: "nursery start", Setup: starts})
	return rows
}

// through moves n values with some goroutines on each side.
func through(n, each int, send, receive func()) {
	var wg sync.WaitGroup
	for i := range each {
		share := (n + i) / each
		wg.Go(func() {
			for range share {
				send()
			}
		})
		wg.Go(func() {
			for range share {
				receive()
			}
		})
	}
	wg.Wait()
}

func channels(s *Scope, size, each int) []Contestant {
	limit := 1.0 // it is faster
	if size == 0 {
		limit = 1 / 0.9
	}
	ours, theirs := channel.Open[int](size)
	native := make(chan int, size)
	return []Contestant{{Name: "trigo", Work: func(n int) {
		through(n, each, func() { ours.Send(s.Ctx, 1) }, func() { theirs.Receive(s.Ctx) })
	}}, {Name: "chan, with a select on ctx", Limit: limit, Work: func(n int) {
		through(n, each, func() {
			select {
			case native <- 1:
			case <-s.Ctx.Done():
			}
		}, func() {
			select {
			case <-native:
			case <-s.Ctx.Done():
			}
		})
	}}, {Name: "chan alone", Fewer: true, Work: func(n int) {
		through(n, each, func() { native <- 1 }, func() { <-native })
	}}}
}

// broadcasts sends values that each of many receivers gets.
func broadcasts(s *Scope, subscribers int) []Contestant {
	const size = 64
	all := channel.OpenBroadcast[int](size, channel.Wait)
	s.Cleanup(func() { all.Close(s.Ctx) })
	var ours []*channel.Receiver[int]
	var theirs []chan int
	for range subscribers {
		ours = append(ours, MustGet(all.Subscribe()))
		theirs = append(theirs, make(chan int, size))
	}
	return []Contestant{{Name: "trigo", Work: func(n int) {
		var wg sync.WaitGroup
		for _, r := range ours {
			wg.Go(func() {
				for range n {
					r.Receive(s.Ctx)
				}
			})
		}
		for i := range n {
			Must(all.Send(s.Ctx, i))
		}
		wg.Wait()
	}}, {Name: "a chan for each, with a select on ctx", Fewer: true, Work: func(n int) {
		var wg sync.WaitGroup
		for _, c := range theirs {
			wg.Go(func() {
				for range n {
					select {
					case <-c:
					case <-s.Ctx.Done():
					}
				}
			})
		}
		for i := range n {
			for _, c := range theirs {
				select {
				case c <- i:
				case <-s.Ctx.Done():
				}
			}
		}
		wg.Wait()
	}}}
}

func nurseries(s *Scope, children int) []Contestant {
	nothing := func(context.Context) error { return nil }
	return []Contestant{{Name: "trigo", Work: func(n int) {
		for range n {
			Must(nursery.Run(s.Ctx, func(ctx context.Context, n *nursery.Nursery) error {
				for range children {
					n.Go(nothing)
				}
				return nil
			}))
		}
	}}, {Name: "conc", Work: func(n int) {
		for range n {
			p := pool.New().WithContext(s.Ctx).WithCancelOnError()
			for range children {
				p.Go(nothing)
			}
			Must(p.Wait())
		}
	}}, {Name: "errgroup", Fewer: true, Work: func(n int) {
		for range n {
			g, ctx := errgroup.WithContext(s.Ctx)
			for range children {
				g.Go(func() error { return nothing(ctx) })
			}
			Must(g.Wait())
		}
	}}}
}

// starts has a child say that it is ready, and end.
func starts(s *Scope) []Contestant {
	return []Contestant{{Name: "trigo", Work: func(count int) {
		Must(nursery.Run(s.Ctx, func(ctx context.Context, n *nursery.Nursery) error {
			for i := range count {
				got, err := nursery.Start(ctx, n, func(ctx context.Context, started func(int)) error {
					started(i)
					return nil
				})
				if err != nil || got != i {
					return fmt.Errorf("start %d: %d, %w", i, got, err)
				}
			}
			return nil
		}))
	}}, {Name: "errgroup and a channel", Fewer: true, Work: func(count int) {
		g, ctx := errgroup.WithContext(s.Ctx)
		for i := range count {
			ready := make(chan int, 1)
			g.Go(func() error {
				ready <- i
				return nil
			})
			select {
			case <-ready:
			case <-ctx.Done():
			}
		}
		Must(g.Wait())
	}}}
}
