package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"trigo/endpoint"
)

// The types of flags that package flag does not have.

// bytesize is a number of bytes: 512, 64k, 1.5M. The units are powers of 1024.
type bytesize int

func (b *bytesize) Set(text string) error {
	n, err := endpoint.ParseSize(text)
	if err != nil {
		return err
	}
	*b = bytesize(n)
	return nil
}

func (b *bytesize) String() string { return strconv.Itoa(int(*b)) }

// count counts how often a switch was given.
type count int

func (c *count) Set(string) error { *c++; return nil }
func (c *count) String() string   { return strconv.Itoa(int(*c)) }
func (c *count) IsBoolFlag() bool { return true }

// retries is a number, or -1 for ever.
type retries int

func (r *retries) Set(text string) error {
	if text == "forever" {
		*r = -1
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return errors.New("it is no number")
	}
	*r = retries(n)
	return nil
}

func (r *retries) String() string { return strconv.Itoa(int(*r)) }

// backoff is how long to wait before trying again: at first, and at most.
type backoff struct{ first, most time.Duration }

func (b *backoff) Set(text string) error {
	first, most, isRange := strings.Cut(text, "..")
	var err error
	if b.first, err = time.ParseDuration(first); err == nil && isRange {
		b.most, err = time.ParseDuration(most)
	} else {
		b.most = max(b.most, b.first)
	}
	if err != nil || b.first < 0 || b.most < b.first {
		return errors.New("those are no durations of which the first is the shorter")
	}
	return nil
}

func (b *backoff) String() string { return brevity(b.first) + ".." + brevity(b.most) }

// twice sets a count to two.
type twice struct{ *count }

func (t twice) Set(string) error { *t.count = 2; return nil }
