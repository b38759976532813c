package main

import (
	"strings"
	"testing"
	"time"
)

func TestTheMeterNamesTheSideThatIsWaitedFor(t *testing.T) {
	began := time.Now()
	past := reading{at: began, ab: 1000, ba: 1000, abSending: time.Second, baSending: time.Second}
	for _, c := range []struct {
		name               string
		ab, ba             int64         // since then
		abSending, baSends time.Duration // of a second
		want               string
	}{
		{"b takes it slowly", 500, 10, 900 * time.Millisecond, 0, "b (write)"},
		{"a gives it slowly", 500, 10, 100 * time.Millisecond, 0, "a (read)"},
		{"a takes it slowly", 10, 500, 0, 900 * time.Millisecond, "a (write)"},
		{"b gives it slowly", 10, 500, 0, 100 * time.Millisecond, "b (read)"},
		{"b takes nothing at all", 0, 0, time.Second, 0, "b (write)"},
		{"a takes nothing at all", 0, 0, 0, time.Second, "a (write)"},
		{"nobody has anything to say", 0, 0, 0, 0, ""},
	} {
		now := reading{at: began.Add(time.Second), ab: 1000 + c.ab, ba: 1000 + c.ba,
			abSending: time.Second + c.abSending, baSending: time.Second + c.baSends}
		if got := now.limiting(past); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		m := meter{began: began, past: past}
		if line := m.line(now); strings.Contains(line, "limiting: "+c.want) != (c.want != "") {
			t.Errorf("%s: %s", c.name, line)
		}
	}
}
