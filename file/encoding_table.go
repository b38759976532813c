package file

import (
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// table is an encoding of one byte for each character. The zero table is ASCII.
type table struct {
	upper  *[256]rune // noRune where there is no character; nil: ASCII
	lookup func() map[rune]byte
}

const noRune = -1

// latin1 is the table of Python's latin-1, in which every byte is a character.
var latin1 = newTable(func() (runes [256]rune) {
	for i := range runes {
		runes[i] = rune(i)
	}
	return runes
}())

func newTable(runes [256]rune) *table {
	t := &table{upper: &runes}
	t.lookup = sync.OnceValue(func() map[rune]byte {
		m := make(map[rune]byte, len(runes))
		for i := len(runes) - 1; i >= 0; i-- {
			if runes[i] != noRune {
				m[runes[i]] = byte(i)
			}
		}
		return m
	})
	return t
}

// codecOf makes a codec of an encoding of package golang.org/x/text.
func codecOf(enc encoding.Encoding) codec {
	cm, ok := enc.(*charmap.Charmap)
	if !ok {
		return multibyte{enc}
	}
	if t, ok := tables.Load(cm); ok {
		return t.(*table)
	}
	t, _ := tables.LoadOrStore(cm, tableOf(cm))
	return t.(*table)
}

// tables are those that were made so far, by their *charmap.Charmap.
var tables sync.Map

func tableOf(cm *charmap.Charmap) *table {
	var runes [256]rune
	for i := range runes {
		runes[i] = cm.DecodeByte(byte(i))
		if runes[i] != utf8.RuneError {
			continue
		}
		runes[i] = noRune
		// The tables come without the control characters that the standard
		// has at 80 to 9f.
		if strings.HasPrefix(cm.String(), "ISO 8859-") && 0x80 <= i && i < 0xa0 {
			runes[i] = rune(i)
		}
	}
	// Where the web has its own idea of a table, ours is that of its RFC or of
	// its maker.
	switch cm {
	case charmap.KOI8U:
		runes[0xae], runes[0xbe] = '╝', '╬'
	case charmap.Windows1255:
		runes[0xca] = noRune
	}
	return newTable(runes)
}

func (t *table) decoder() decoder { return tableDecoder{t} }
func (t *table) encoder() encoder { return tableEncoder{t} }

type tableDecoder struct{ *table }

func (d tableDecoder) decode(dst, src []byte, atEOF bool) (text []byte, n, bad int, why string) {
	for i, b := range src {
		r := rune(b)
		switch {
		case d.upper != nil:
			if r = d.upper[b]; r == noRune {
				return dst, i, 1, "character maps to <undefined>"
			}
		case b >= utf8.RuneSelf:
			return dst, i, 1, "ordinal not in range(128)"
		}
		if r < utf8.RuneSelf {
			dst = append(dst, byte(r))
		} else {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst, len(src), 0, ""
}

func (d tableDecoder) state() decoderState  { return "" }
func (d tableDecoder) restore(decoderState) {}

type tableEncoder struct{ *table }

func (e tableEncoder) begin(bool, decoderState) {}
func (e tableEncoder) state() decoderState      { return "" }

func (e tableEncoder) encode(dst []byte, s string) ([]byte, int) {
	for i, r := range s {
		if r == utf8.RuneError {
			return dst, i // no table has it, and what is not UTF-8 looks like it
		}
		b := byte(r)
		if e.upper == nil {
			if r >= utf8.RuneSelf {
				return dst, i
			}
		} else {
			var ok bool
			if b, ok = e.lookup()[r]; !ok {
				return dst, i
			}
		}
		dst = append(dst, b)
	}
	return dst, len(s)
}
