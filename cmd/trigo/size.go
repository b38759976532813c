package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// size is a number of bytes on the command line: 512, 64k, 1.5M, 2GiB. The
// units are powers of 1024.
type size int

var units = []struct {
	letter string
	bytes  float64
}{{"T", 1 << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}}

func (s *size) Set(text string) error {
	number, factor := strings.ToUpper(text), 1.0
	for _, u := range units {
		if i := strings.Index(number, u.letter); i > 0 {
			if rest := number[i+1:]; rest != "" && rest != "B" && rest != "IB" {
				return errors.New("unknown unit")
			}
			number, factor = number[:i], u.bytes
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	switch n *= factor; {
	case err != nil || math.IsNaN(n) || n < 0 || n != math.Trunc(n):
		return errors.New("want a size such as 65536, 64k or 1M")
	case n > 1<<40:
		return errors.New("more than 1T")
	}
	*s = size(n)
	return nil
}

func (s *size) String() string { return strconv.Itoa(int(*s)) }

// human writes a number of bytes for people: "812 B", "1.21 MiB".
func human[N int | int64 | float64](n N) string {
	for _, u := range units {
		if v := float64(n) / u.bytes; v >= 1 {
			return fmt.Sprintf("%.*f %siB", decimals(v), v, u.letter)
		}
	}
	return fmt.Sprintf("%.0f B", float64(n))
}

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
