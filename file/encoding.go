package file

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
)

// A codec is a text encoding. Its decoders and encoders know what is valid and
// where it ends; what is done about the rest is the business of an errorMode.
type codec interface {
	decoder() decoder
	encoder() encoder
}

// A decoder turns bytes into text, piece by piece.
type decoder interface {
	// decode appends the text of src to dst, up to the first bytes that are
	// not valid or whose character is not whole. n is how many bytes of src it
	// took. bad, if not zero, is how many of the next bytes are not valid, and
	// why says what is wrong. At the end (atEOF) nothing is left as not whole.
	decode(dst, src []byte, atEOF bool) (text []byte, n, bad int, why string)

	// state is what the decoder has to remember of what it took; restore goes
	// back to it. The zero state is that of the start.
	state() decoderState
	restore(decoderState)
}

// decoderState is the memory of a decoder, such as the byte order or the last
// escape sequence. It can be compared.
type decoderState string

// An encoder turns text into bytes.
type encoder interface {
	// encode appends the bytes of s to dst, up to the first character that the
	// encoding does not have. n is how many bytes of s it took.
	encode(dst []byte, s string) (out []byte, n int)

	// begin says whether the next bytes are the first of the file, where a
	// byte order mark goes, and which state a decoder would be in there.
	begin(first bool, s decoderState)

	// state is that of a decoder after what was encoded.
	state() decoderState
}

// lookup finds an encoding by name. Case, spaces and underscores make no
// difference.
func lookup(name string) (codec, error) {
	key := strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(strings.TrimSpace(name)))
	if key == "" {
		return utf8Codec{}, nil
	}
	if c, ok := ownCodecs[key]; ok {
		return c, nil
	}
	if also, ok := pythonNames[key]; ok {
		key = also
	}
	if enc, err := ianaindex.IANA.Encoding(key); err == nil && enc != nil {
		return codecOf(enc), nil
	}
	if enc, err := htmlindex.Get(key); err == nil {
		if _, isTable := enc.(*charmap.Charmap); isTable || multibyteNames[key] {
			return codecOf(enc), nil
		}
	}
	return nil, fmt.Errorf("encoding %q is not known: %w", name, fs.ErrInvalid)
}

// ownCodecs are those that this package does by itself.
var ownCodecs = func() map[string]codec {
	m := map[string]codec{}
	for names, c := range map[string]codec{
		"utf-8 utf8 u8 cp65001": utf8Codec{},
		"utf-8-sig":             utf8Codec{mark: true},
		"utf-16 utf16 u16":      wideCodec{size: 2},
		"utf-16-le utf-16le unicodelittleunmarked":                wideCodec{size: 2, order: littleEndian},
		"utf-16-be utf-16be unicodebigunmarked":                   wideCodec{size: 2, order: bigEndian},
		"utf-32 utf32 u32":                                        wideCodec{size: 4},
		"utf-32-le utf-32le":                                      wideCodec{size: 4, order: littleEndian},
		"utf-32-be utf-32be":                                      wideCodec{size: 4, order: bigEndian},
		"ascii us-ascii 646 ansi-x3.4-1968":                       &table{},
		"latin-1 latin1 latin l1 iso-8859-1 iso8859-1 8859 cp819": latin1,
	} {
		for name := range strings.FieldsSeq(names) {
			m[name] = c
		}
	}
	return m
}()

// pythonNames are names that Python knows and IANA does not.
var pythonNames = func() map[string]string {
	m := map[string]string{
		"mac-roman": "macintosh", "macroman": "macintosh", "mac-cyrillic": "x-mac-cyrillic",
		"cp874": "windows-874", "sjis": "shift_jis", "s-jis": "shift_jis", "shift-jis": "shift_jis", "shiftjis": "shift_jis",
		"cp932": "shift_jis", "ms932": "shift_jis", "mskanji": "shift_jis", "ms-kanji": "shift_jis", "windows-31j": "shift_jis",
		"eucjp": "euc-jp", "ujis": "euc-jp", "euckr": "euc-kr", "korean": "euc-kr", "cp949": "euc-kr", "ms949": "euc-kr", "uhc": "euc-kr",
		"gb2312": "gbk", "euc-cn": "gbk", "euccn": "gbk", "cp936": "gbk", "ms936": "gbk", "936": "gbk", "hz": "hz-gb-2312",
		"hzgb": "hz-gb-2312", "hz-gb": "hz-gb-2312", "big5-tw": "big5", "csbig5": "big5", "cp950": "big5", "iso2022jp": "iso-2022-jp", "iso2022-jp": "iso-2022-jp",
		"koi8-r": "koi8-r", "koi8r": "koi8-r", "koi8u": "koi8-u", "cp037": "ibm037", "cp037-ibm": "ibm037", "cp1140": "ibm01140",
	}
	for _, n := range []string{"1250", "1251", "1252", "1253", "1254", "1255", "1256", "1257", "1258"} {
		m["cp"+n], m[n] = "windows-"+n, "windows-"+n
	}
	for _, n := range []string{"437", "850", "852", "855", "858", "860", "862", "863", "865", "866"} {
		m["cp"+n], m[n] = "ibm"+n, "ibm"+n
	}
	m["cp858"], m["858"] = "ibm00858", "ibm00858"
	for n := range 16 {
		number := strconv.Itoa(n + 1)
		iso := "iso-8859-" + number
		m["iso8859-"+number], m["8859-"+number] = iso, iso
	}
	for i, n := range []string{"2", "3", "4", "9", "10", "13", "14", "15", "16"} {
		number := strconv.Itoa(i + 2)
		m["latin-"+number], m["latin"+number], m["l"+number] = "iso-8859-"+n, "iso-8859-"+n, "iso-8859-"+n
	}
	return m
}()

var multibyteNames = map[string]bool{"shift_jis": true, "euc-jp": true, "euc-kr": true, "gbk": true, "gb18030": true, "big5": true, "iso-2022-jp": true}

// errorMode is what happens to bytes that are no text in the encoding, and to
// text that it does not have.
type errorMode int

const (
	strict errorMode = iota
	replace
	ignore
	backslashReplace
)

func parseErrorMode(name string) (errorMode, error) {
	switch name {
	case "", "strict":
		return strict, nil
	case "replace":
		return replace, nil
	case "ignore":
		return ignore, nil
	case "backslashreplace":
		return backslashReplace, nil
	}
	return 0, fmt.Errorf("errors %q is none of strict, replace, ignore and backslashreplace: %w", name, fs.ErrInvalid)
}

// A DecodeError says which bytes are not valid in an encoding. The text before
// them was given out. Python: UnicodeDecodeError.
type DecodeError struct {
	Encoding string // as it was asked for
	Offset   int64  // of the first of the bytes, from the start of the file
	Bytes    []byte // those that are not valid
	Reason   string
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("byte offset %d: % x is not %s: %s", e.Offset, e.Bytes, e.Encoding, e.Reason)
}

// An EncodeError says which part of a string an encoding does not have. Nothing of
// the string was written. Python: UnicodeEncodeError.
type EncodeError struct {
	Encoding string // as it was asked for
	Offset   int    // in bytes, of the first character that it does not have
	Text     string // that character, or bytes that are not UTF-8
}

func (e *EncodeError) Error() string {
	return fmt.Sprintf("byte offset %d of the string: %s has no %+q", e.Offset, e.Encoding, e.Text)
}

// decodeAll decodes src as decode does, and does with what is not valid what mode
// says. In strict mode it stops there; bad and why are as for decode.
func decodeAll(d decoder, mode errorMode, dst, src []byte, atEOF bool) (text []byte, n, bad int, why string) {
	for {
		var took int
		dst, took, bad, why = d.decode(dst, src[n:], atEOF)
		n += took
		if bad == 0 || mode == strict {
			return dst, n, bad, why
		}
		for _, b := range src[n : n+bad] {
			if mode == backslashReplace {
				dst = fmt.Appendf(dst, `\x%02x`, b)
			}
		}
		if mode == replace {
			dst = utf8.AppendRune(dst, utf8.RuneError)
		}
		n += bad
	}
}

// encodeAll appends the bytes of s to dst. In strict mode n is where it stopped.
func encodeAll(e encoder, mode errorMode, dst []byte, s string) (out []byte, n int) {
	for {
		var took int
		dst, took = e.encode(dst, s[n:])
		if n += took; n == len(s) || mode == strict {
			return dst, n
		}
		r, size := utf8.DecodeRuneInString(s[n:])
		instead := ""
		switch {
		case mode == replace:
			instead = "?"
		case mode == ignore:
		case r == utf8.RuneError && size == 1:
			instead = fmt.Sprintf(`\x%02x`, s[n])
		case r <= 0xff:
			instead = fmt.Sprintf(`\x%02x`, r)
		case r <= 0xffff:
			instead = fmt.Sprintf(`\u%04x`, r)
		default:
			instead = fmt.Sprintf(`\U%08x`, r)
		}
		dst, _ = e.encode(dst, instead)
		n += size
	}
}
