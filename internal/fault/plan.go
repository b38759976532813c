// Package fault makes a stream misbehave to a plan: late, in crumbs, cut short,
// reset, with a byte turned over. The plan is a line of text and a seed, so that
// the same one serves a unit test, a real socket and a command line, and fails
// the same way again. What fired is counted: a planned fault that never came
// about is a test of nothing.
package fault

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Plan says what is to go wrong with a stream. The zero value is a plan
// without faults. See [Parse] for its text.
type Plan struct {
	Seed      uint64        // of everything that is left to chance
	Delay     time.Duration // before each call that moves bytes
	Jitter    time.Duration // up to so much more delay, by chance
	ChunkMin  int           // a call moves at least so many bytes at once, if there are as many,
	ChunkMax  int           // and at most so many; 0: any number
	Bandwidth int64         // bytes a second in each direction; 0: any number
	At        []Event       // what happens at a place in the bytes
}

// An Event is a fault at a place: when Offset bytes have passed in a direction.
// It happens once.
type Event struct {
	Kind      Kind
	Direction Direction
	Offset    int64
}

// Kind is what happens at a place.
type Kind string

// The kinds of events.
const (
	Stall Kind = "stall" // nothing moves any more: the call waits for its ctx, or for a Close
	Reset Kind = "reset" // the connection is aborted, and broken for both sides
	Cut   Kind = "cut"   // the connection ends too early, for both sides with an end of file
	Flip  Kind = "flip"  // all bits of the next byte are turned over
)

var kinds = []Kind{Stall, Reset, Cut, Flip}

// Direction is the direction in which the bytes of an Event are counted.
type Direction string

// The directions, seen from whoever uses the faulty stream.
const (
	Either  Direction = "" // whichever comes there first
	Send    Direction = "send"
	Receive Direction = "receive"
)

// Parse reads a plan: a list of faults with commas in between, in any order.
//
//	seed=7             what is left to chance depends on it
//	delay=20ms         before each call that moves bytes
//	jitter=10ms        up to so much more, by chance
//	chunk=1            so many bytes at a time, at most
//	chunk=1-100        or a number between two, by chance
//	bandwidth=1MB/s    in each direction
//	stall@1MB          after so many bytes in either direction nothing moves
//	reset@1MB          the connection is reset
//	cut@64KB           the connection ends, as if its peer had ended it
//	flip@10            the bits of the byte at this offset are turned over
//	send.flip@10       an event that counts only what is sent,
//	receive.cut@1KB    or what is received
//
// The units of sizes are powers of 1024. Events may be repeated; everything else
// may not. The text of [Plan.String] is in this form too.
func Parse(text string) (*Plan, error) {
	p := new(Plan)
	seen := make(map[string]bool)
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		var err error
		if what, place, ok := strings.Cut(item, "@"); ok {
			err = p.addEvent(what, place)
		} else {
			name, value, _ := strings.Cut(item, "=")
			if seen[name] {
				err = errors.New("given twice")
			} else {
				err = p.set(name, value)
			}
			seen[name] = true
		}
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", item, err)
		}
	}
	return p, nil
}

func (p *Plan) addEvent(what, place string) error {
	e := Event{Kind: Kind(what)}
	if direction, kind, ok := strings.Cut(what, "."); ok {
		e.Kind, e.Direction = Kind(kind), Direction(direction)
		if e.Direction != Send && e.Direction != Receive {
			return errors.New("the direction is send or receive")
		}
	}
	if !slices.Contains(kinds, e.Kind) {
		return errors.New("what happens at a place is stall, reset, cut or flip")
	}
	var err error
	e.Offset, err = parseSize(place)
	p.At = append(p.At, e)
	return err
}

func (p *Plan) set(name, value string) (err error) {
	switch name {
	case "seed":
		p.Seed, err = strconv.ParseUint(value, 10, 64)
		if err != nil {
			err = errors.New("a seed is a number")
		}
	case "delay":
		p.Delay, err = parseDuration(value)
	case "jitter":
		p.Jitter, err = parseDuration(value)
	case "chunk":
		low, high, isRange := strings.Cut(value, "-")
		if !isRange {
			high = low
		}
		p.ChunkMin, err = parseCount(low)
		if err == nil {
			p.ChunkMax, err = parseCount(high)
		}
		if err == nil && p.ChunkMin > p.ChunkMax {
			err = errors.New("the smaller number comes first")
		}
		if !isRange {
			p.ChunkMin = 0 // less is no fault
		}
	case "bandwidth":
		p.Bandwidth, err = parseSize(strings.TrimSuffix(value, "/s"))
		if err == nil && p.Bandwidth == 0 {
			err = errors.New("no bandwidth at all is a stall")
		}
	default:
		err = errors.New("no such fault; there are seed, delay, jitter, chunk, bandwidth, stall@, reset@, cut@, flip@")
	}
	return err
}

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, errors.New("want a time such as 20ms")
	}
	return d, nil
}

func parseCount(text string) (int, error) {
	n, err := parseSize(text)
	if err != nil || n == 0 || n > math.MaxInt32 {
		return 0, errors.New("want a number of bytes, at least 1")
	}
	return int(n), nil
}

var units = []struct {
	name  string
	bytes int64
}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}}

func parseSize(text string) (int64, error) {
	number, factor := strings.ToUpper(text), int64(1)
	for _, u := range units {
		if before, ok := strings.CutSuffix(number, u.name); ok {
			number, factor = before, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/factor {
		return 0, errors.New("want a number of bytes such as 10, 64KB or 1MB")
	}
	return n * factor, nil
}

func formatSize(n int64) string {
	for _, u := range units {
		if n >= u.bytes && n%u.bytes == 0 && u.bytes > 1 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// String returns the text of the plan.
func (p *Plan) String() string {
	var items []string
	if p.Seed != 0 {
		items = append(items, fmt.Sprintf("seed=%d", p.Seed))
	}
	return strings.Join(append(items, p.faults()...), ",")
}

// faults are the texts of the faults, the events last.
func (p *Plan) faults() []string {
	var items []string
	if p.Delay > 0 {
		items = append(items, "delay="+p.Delay.String())
	}
	if p.Jitter > 0 {
		items = append(items, "jitter="+p.Jitter.String())
	}
	if p.ChunkMax > 0 {
		items = append(items, p.chunk())
	}
	if p.Bandwidth > 0 {
		items = append(items, "bandwidth="+formatSize(p.Bandwidth)+"/s")
	}
	for _, e := range p.At {
		items = append(items, e.String())
	}
	return items
}

func (p *Plan) chunk() string {
	if p.ChunkMin > 0 {
		return fmt.Sprintf("chunk=%s-%s", formatSize(int64(p.ChunkMin)), formatSize(int64(p.ChunkMax)))
	}
	return "chunk=" + formatSize(int64(p.ChunkMax))
}

// String returns the text of the event: "send.flip@10".
func (e Event) String() string {
	where := ""
	if e.Direction != Either {
		where = string(e.Direction) + "."
	}
	return where + string(e.Kind) + "@" + formatSize(e.Offset)
}
