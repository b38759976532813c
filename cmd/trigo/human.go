package main

import (
	"fmt"
	"strings"
	"time"
)

var units = []struct {
	letter string
	bytes  float64
}{{"T", 1 << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}}

// human writes a number of bytes for people: "812 B", "1.21 MiB".
func human[N int | int64 | float64](n N) string {
	for _, u := range units {
		if v := float64(n) / u.bytes; v >= 1 {
			return fmt.Sprintf("%.*f %siB", decimals(v), v, u.letter)
		}
	}
	return fmt.Sprintf("%.0f B", float64(n))
}

// tight is human without the space.
func tight(n int64) string { return strings.ReplaceAll(human(n), " ", "") }

// decimals leaves three digits to look at.
func decimals(v float64) int {
	switch {
	case v < 10:
		return 2
	case v < 100:
		return 1
	}
	return 0
}

// brief leaves of a duration what people read.
func brief(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
