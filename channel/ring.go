package channel

// ring is a first-in, first-out buffer that grows as it is needed.
type ring[T any] struct {
	slots []T
	first int // index of the oldest value
	n     int
}

const (
	ringStart = 16   // slots of a ring that has held anything
	ringKeep  = 1024 // slots that an empty ring may keep
)

// push appends v.
func (r *ring[T]) push(v T) {
	if r.n == len(r.slots) {
		r.grow()
	}
	i := r.first + r.n
	if i >= len(r.slots) {
		i -= len(r.slots)
	}
	r.slots[i] = v
	r.n++
}

// pop removes the oldest value. There must be one.
func (r *ring[T]) pop() T {
	var none T
	v := r.slots[r.first]
	r.slots[r.first] = none // so that what it points to can be collected
	r.first++
	if r.first == len(r.slots) {
		r.first = 0
	}
	r.n--
	if r.n == 0 && len(r.slots) > ringKeep {
		*r = ring[T]{} // do not hold on to what a burst needed
	}
	return v
}

// clear drops everything and returns how much it was.
func (r *ring[T]) clear() int {
	n := r.n
	for r.n > 0 {
		r.pop()
	}
	return n
}

func (r *ring[T]) grow() {
	slots := make([]T, max(ringStart, 2*len(r.slots)))
	k := copy(slots, r.slots[r.first:])
	copy(slots[k:], r.slots[:r.first])
	r.slots, r.first = slots, 0
}
