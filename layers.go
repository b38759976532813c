package trigo

import "iter"

// A layer is one object in a stack such as TLS over a proxy connection over
// TCP. A layer that stands on others shows them through one of
//
//	Underlying() any
//	Underlying() []any
//
// and describes itself with String, briefly: "tcp 192.0.2.1:443". The method
// is not called Unwrap, because on a TLS stream that is the name of an
// operation: the one that ends TLS and hands back the transport.
type (
	onOne  interface{ Underlying() any }
	onMany interface{ Underlying() []any }
)

// Layers iterates over r and the layers below it, outermost first. Where a
// layer stands on several (a [StapledStream] does), the whole of the first
// comes before the second.
func Layers(r any) iter.Seq[any] {
	return func(yield func(any) bool) { walk(r, yield) }
}

func walk(r any, yield func(any) bool) bool {
	if r == nil {
		return true
	}
	if !yield(r) {
		return false
	}
	switch l := r.(type) {
	case onOne:
		return walk(l.Underlying(), yield)
	case onMany:
		for _, u := range l.Underlying() {
			if !walk(u, yield) {
				return false
			}
		}
	}
	return true
}

// As returns the outermost layer of r that is a T, as [errors.As] does for
// errors. T may be an interface (to find a capability) or a concrete type (to
// find the TCP stream under TLS under TLS).
func As[T any](r any) (T, bool) {
	for l := range Layers(r) {
		if t, ok := l.(T); ok {
			return t, true
		}
	}
	var none T
	return none, false
}
