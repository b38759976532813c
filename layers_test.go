package trigo_test

import (
	"slices"
	"testing"

	"trigo"
)

// Layers for a tree: a named one with what is below it.
type (
	leaf   string
	single struct {
		name  string
		below any
	}
	double struct {
		name  string
		below []any
	}
)

func (l leaf) String() string      { return string(l) }
func (l single) String() string    { return l.name }
func (l double) String() string    { return l.name }
func (l single) Underlying() any   { return l.below }
func (l double) Underlying() []any { return l.below }
func (leaf) RemoteAddress() string { return "192.0.2.1:443" }

var tree = single{"tls", double{"staple", []any{
	single{"buffered", leaf("pipe 1")},
	single{"limited", leaf("pipe 2")},
}}}

func names(r any) (names []string) {
	for l := range trigo.Layers(r) {
		names = append(names, l.(interface{ String() string }).String())
	}
	return names
}

func TestLayersOutermostFirst(t *testing.T) {
	want := []string{"tls", "staple", "buffered", "pipe 1", "limited", "pipe 2"}
	if got := names(tree); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := names(nil); len(got) != 0 {
		t.Errorf("nil has the layers %q", got)
	}
	if got := names(single{"top", nil}); !slices.Equal(got, []string{"top"}) {
		t.Errorf("got %q", got)
	}
}

func TestLayersCanBeLeftAtAnyPoint(t *testing.T) {
	for stop := 1; stop <= 6; stop++ {
		seen := 0
		for range trigo.Layers(tree) {
			if seen++; seen == stop {
				break
			}
		}
		if seen != stop {
			t.Errorf("saw %d layers, left after %d", seen, stop)
		}
	}
}

func TestAsFindsTheOutermost(t *testing.T) {
	if l, ok := trigo.As[single](tree); !ok || l.name != "tls" {
		t.Errorf("single: %v, %v", l, ok)
	}
	if l, ok := trigo.As[double](tree); !ok || l.name != "staple" {
		t.Errorf("double: %v, %v", l, ok)
	}
	if l, ok := trigo.As[leaf](tree); !ok || l != "pipe 1" { // of the two, the first branch's
		t.Errorf("leaf: %v, %v", l, ok)
	}
	if a, ok := trigo.As[interface{ RemoteAddress() string }](tree); !ok || a.RemoteAddress() != "192.0.2.1:443" {
		t.Errorf("interface: %v, %v", a, ok)
	}
	if f, ok := trigo.As[*fakeStream](tree); ok || f != nil {
		t.Errorf("missing: %v, %v", f, ok)
	}
	if f, ok := trigo.As[*fakeStream](nil); ok || f != nil {
		t.Errorf("in nil: %v, %v", f, ok)
	}
}

func TestAsSeesThroughTheLayersOfThisPackage(t *testing.T) {
	send, receive := newFakeStream("s"), newFakeStream("r")
	s := trigo.Staple(struct{ trigo.SendStream }{send}, trigo.NewBufferedReceiver(receive))
	if f, ok := trigo.As[*fakeStream](s); !ok || f != receive {
		t.Errorf("got %v, %v, want the receiving stream", f, ok)
	}
	s = trigo.Staple(send, trigo.NewBufferedReceiver(receive))
	if f, ok := trigo.As[*fakeStream](s); !ok || f != send {
		t.Errorf("got %v, %v, want the sending stream", f, ok)
	}
	const want = "staple(fake s, buffered(fake r))"
	if s.String() != want {
		t.Errorf("got %q, want %q", s, want)
	}
	if got := trigo.Staple(nothing{}, nothing{}).String(); got != "staple(trigo_test.nothing, trigo_test.nothing)" {
		t.Errorf("without String: %q", got)
	}
}
