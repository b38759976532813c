package endpoint

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape writes as %HH the bytes that have a meaning in an address, and those that
// would make a mess of a terminal.
func escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if strings.ContainsRune("%,+", r) || !unicode.IsPrint(r) || r == utf8.RuneError && size == 1 {
			for _, c := range []byte(s[i : i+size]) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// unescape is the inverse of escape, for every other way of writing too.
func unescape(s string) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "%")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		digits := after[:min(2, len(after))]
		c, err := strconv.ParseUint(digits, 16, 8)
		if err != nil || len(digits) < 2 || !isHex(digits[0]) {
			return "", &escapeError{"%" + digits}
		}
		b.WriteByte(byte(c))
		s = after[2:]
	}
}

// escapeError is the error of unescape.
type escapeError struct{ text string }

func (e *escapeError) Error() string { return strconv.Quote(e.text) + " is no escape" }

// isHex keeps out the sign that ParseUint has no objection to.
func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

// printable makes one line of s, whatever is in it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}
