package file

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
)

func FuzzTextIsTheSameHoweverItIsCut(f *testing.F) {
	f.Add([]byte("a\r\n\xe2\x82\xac\r"), uint8(0), uint8(3))
	f.Add([]byte("\xff\xfea\x00\x00\xd8"), uint8(5), uint8(1))
	f.Add([]byte("\x1b$BF|\x1b(B\r"), uint8(7), uint8(2))
	names := []string{"utf-8", "utf-8-sig", "ascii", "cp1252", "utf-16-le", "utf-16", "utf-32", "iso-2022-jp", "shift_jis", "gb18030", "hz", "euc-kr"}
	f.Fuzz(func(t *testing.T, data []byte, which, size uint8) {
		for _, mode := range []string{"strict", "replace", "backslashreplace"} {
			opts := &TextOptions{Encoding: names[int(which)%len(names)], Errors: mode, Newline: Newline(size % 5)}
			whole, err := textOver(t, opts, data).ReadAll(t.Context())
			var cut [][]byte
			for p := range slices.Chunk(data, int(size)+1) {
				cut = append(cut, p)
			}
			text, cutErr := textOver(t, opts, cut...).ReadAll(t.Context())
			if text != whole || fmt.Sprint(err) != fmt.Sprint(cutErr) && len(cut) > 0 {
				var a, b *DecodeError
				if errors.As(err, &a) && errors.As(cutErr, &b) && a.Offset == b.Offset && bytes.Equal(a.Bytes, b.Bytes) {
					continue // the names of the streams differ
				}
				t.Errorf("%+v: in one piece %q, %v; cut %q, %v", *opts, whole, err, text, cutErr)
			}
		}
	})
}
