package file

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// utf8Codec is UTF-8; with mark, a byte order mark at the start is written, and
// skipped if there is one.
type utf8Codec struct{ mark bool }

func (c utf8Codec) decoder() decoder { return &utf8Decoder{mark: c.mark} }
func (c utf8Codec) encoder() encoder { return &utf8Encoder{mark: c.mark} }

const utf8Mark = "\xef\xbb\xbf"

type utf8Decoder struct {
	mark, past bool // past the place of the mark
}

func (d *utf8Decoder) decode(dst, src []byte, atEOF bool) (text []byte, n, bad int, why string) {
	if d.mark && !d.past {
		if len(src) < len(utf8Mark) && !atEOF && bytes.HasPrefix([]byte(utf8Mark), src) {
			return dst, 0, 0, ""
		}
		d.past = true
		if bytes.HasPrefix(src, []byte(utf8Mark)) {
			n = len(utf8Mark)
		}
	}
	start := n
	// Mostly it is all valid but for a character cut at the end.
	if end := wholeUTF8(src[n:]) + n; utf8.Valid(src[n:end]) {
		n = end
	}
	for n < len(src) {
		if src[n] < utf8.RuneSelf {
			n++
			continue
		}
		if _, size := utf8.DecodeRune(src[n:]); size > 1 {
			n += size
			continue
		}
		bad, why = brokenUTF8(src[n:])
		if why == "" { // not whole
			if !atEOF {
				bad = 0
			} else {
				why = "unexpected end of data"
			}
		}
		break
	}
	return append(dst, src[start:n]...), n, bad, why
}

// wholeUTF8 returns where a character that is cut at the end of p begins, or
// len(p).
func wholeUTF8(p []byte) int {
	for i := len(p) - 1; i >= 0 && i >= len(p)-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return i
			}
			break
		}
	}
	return len(p)
}

// brokenUTF8 returns how many bytes at the start of p are the longest beginning of
// a character that does not go on as it should, and what is wrong; nothing if p
// only ends too early.
func brokenUTF8(p []byte) (n int, why string) {
	size, low, high := 0, byte(0x80), byte(0xbf)
	switch c := p[0]; {
	case c < 0xc2, c > 0xf4:
		return 1, "invalid start byte"
	case c < 0xe0:
		size = 2
	case c < 0xf0:
		size = 3
		switch c {
		case 0xe0:
			low = 0xa0
		case 0xed:
			high = 0x9f // no surrogates
		}
	default:
		size = 4
		switch c {
		case 0xf0:
			low = 0x90
		case 0xf4:
			high = 0x8f
		}
	}
	for n = 1; n < size; n++ {
		if n == len(p) {
			return n, ""
		}
		if p[n] < low || p[n] > high {
			return n, "invalid continuation byte"
		}
		low, high = 0x80, 0xbf
	}
	return n, ""
}

func (d *utf8Decoder) state() decoderState {
	if d.past {
		return "past"
	}
	return ""
}

func (d *utf8Decoder) restore(s decoderState) { d.past = s != "" }

type utf8Encoder struct{ mark, first bool }

func (e *utf8Encoder) begin(first bool, _ decoderState) { e.first = first }

func (e *utf8Encoder) state() decoderState {
	if e.mark && !e.first {
		return "past"
	}
	return ""
}

func (e *utf8Encoder) encode(dst []byte, s string) ([]byte, int) {
	if e.mark && e.first {
		dst = append(dst, utf8Mark...)
	}
	e.first = false
	n := validUTF8(s)
	return append(dst, s[:n]...), n
}

// validUTF8 returns how much of s is UTF-8.
func validUTF8(s string) int {
	if utf8.ValidString(s) {
		return len(s)
	}
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return i
			}
		}
	}
	return len(s)
}

// byteOrder of a wide encoding; asMarked leaves it to a byte order mark, and
// without one it is the machine's.
type byteOrder int

const (
	asMarked byteOrder = iota
	littleEndian
	bigEndian
)

func nativeOrder() byteOrder {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return littleEndian
	}
	return bigEndian
}

// wideCodec is UTF-16 or UTF-32, with units of size bytes.
type wideCodec struct {
	size  int
	order byteOrder
}

func (c wideCodec) decoder() decoder { return &wideDecoder{wideCodec: c, now: c.order} }
func (c wideCodec) encoder() encoder { return &wideEncoder{wideCodec: c, now: c.order} }

// unit reads one unit.
func (c wideCodec) unit(p []byte, order byteOrder) uint32 {
	var u uint32
	for i := range c.size {
		b := p[i]
		if order == littleEndian {
			b = p[c.size-1-i]
		}
		u = u<<8 | uint32(b)
	}
	return u
}

type wideDecoder struct {
	wideCodec
	now byteOrder // asMarked: nothing was decoded yet
}

func (d *wideDecoder) decode(dst, src []byte, atEOF bool) (text []byte, n, bad int, why string) {
	if d.now == asMarked {
		if len(src) < d.size && !atEOF {
			return dst, 0, 0, ""
		}
		d.now = nativeOrder()
		if len(src) >= d.size {
			switch {
			case d.unit(src, littleEndian) == 0xfeff:
				d.now, n = littleEndian, d.size
			case d.unit(src, bigEndian) == 0xfeff:
				d.now, n = bigEndian, d.size
			}
		}
	}
	for {
		rest := src[n:]
		if len(rest) < d.size {
			if len(rest) > 0 && atEOF {
				return dst, n, len(rest), "truncated data"
			}
			return dst, n, 0, ""
		}
		r := rune(d.unit(rest, d.now))
		size := d.size
		switch {
		case d.size == 4 && uint32(r) > utf8.MaxRune:
			return dst, n, 4, "code point not in range(0x110000)"
		case d.size == 4 && utf16.IsSurrogate(r):
			return dst, n, 4, "code point in surrogate code point range"
		case utf16.IsSurrogate(r):
			switch {
			case r >= 0xdc00:
				return dst, n, 2, "illegal encoding"
			case len(rest) < 4 && atEOF:
				return dst, n, len(rest), "unexpected end of data"
			case len(rest) < 4:
				return dst, n, 0, ""
			}
			low := rune(d.unit(rest[2:], d.now))
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return dst, n, 2, "illegal UTF-16 surrogate"
			}
			size = 4
		}
		dst = utf8.AppendRune(dst, r)
		n += size
	}
}

func (d *wideDecoder) state() decoderState    { return d.orderToState(d.now) }
func (d *wideDecoder) restore(s decoderState) { d.now = d.orderOfState(s) }

// orderToState is what has to be remembered of an order: nothing, if the codec
// says it.
func (c wideCodec) orderToState(now byteOrder) decoderState {
	if now == c.order {
		return ""
	}
	return decoderState([]string{littleEndian: "little", bigEndian: "big"}[now])
}

func (c wideCodec) orderOfState(s decoderState) byteOrder {
	return map[decoderState]byteOrder{"": c.order, "little": littleEndian, "big": bigEndian}[s]
}

type wideEncoder struct {
	wideCodec
	first bool
	now   byteOrder // asMarked: the machine's
}

// begin goes on in the order of the text before, if that is known.
func (e *wideEncoder) begin(first bool, s decoderState) { e.first, e.now = first, e.orderOfState(s) }

func (e *wideEncoder) state() decoderState {
	switch {
	case e.first:
		return ""
	case e.now == asMarked:
		return e.orderToState(nativeOrder())
	}
	return e.orderToState(e.now)
}

func (e *wideEncoder) encode(dst []byte, s string) ([]byte, int) {
	if e.order == asMarked && e.first {
		dst = e.append(dst, 0xfeff)
	}
	e.first = false
	n := validUTF8(s)
	for _, r := range s[:n] {
		if high, low := utf16.EncodeRune(r); e.size == 2 && high != utf8.RuneError {
			dst = e.append(e.append(dst, high), low)
		} else {
			dst = e.append(dst, r)
		}
	}
	return dst, n
}

func (e *wideEncoder) append(dst []byte, unit rune) []byte {
	big := e.now == bigEndian || e.now == asMarked && nativeOrder() == bigEndian
	switch {
	case e.size == 2 && big:
		return binary.BigEndian.AppendUint16(dst, uint16(unit))
	case e.size == 2:
		return binary.LittleEndian.AppendUint16(dst, uint16(unit))
	case big:
		return binary.BigEndian.AppendUint32(dst, uint32(unit))
	}
	return binary.LittleEndian.AppendUint32(dst, uint32(unit))
}
