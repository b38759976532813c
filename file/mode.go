package file

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// parseMode returns the flags that a mode string stands for. It has one of
//
//	r  read                          w  write, what was there is cut off
//	a  write, always at the end      x  write, the file must not exist yet
//
// and perhaps + (read and write), in any order. A b for bytes, or a t for text, may be
// there if that is what is opened.
func parseMode(mode string, text bool) (flag int, err error) {
	bad := func(why string) (int, error) {
		return 0, fmt.Errorf("mode %q: %s: %w", mode, why, fs.ErrInvalid)
	}
	verb, update := byte(0), false
	for i := range len(mode) {
		c := mode[i]
		if strings.IndexByte(mode[:i], c) >= 0 {
			return bad(fmt.Sprintf("%q comes twice", c))
		}
		switch c {
		case 'r', 'w', 'a', 'x':
			if verb != 0 {
				return bad("more than one of r, w, a and x")
			}
			verb = c
		case '+':
			update = true
		case 'b':
			if text {
				return bad("bytes are for Open")
			}
		case 't':
			if !text {
				return bad("text is for OpenText")
			}
		default:
			return bad(fmt.Sprintf("%q is none of its letters", c))
		}
	}
	switch verb {
	case 0:
		return bad("none of r, w, a and x")
	case 'r':
		flag = os.O_RDONLY
	case 'w':
		flag = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	case 'a':
		flag = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	case 'x':
		flag = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	}
	if update {
		flag = flag&^os.O_WRONLY | os.O_RDWR
	}
	return flag, nil
}

func readable(flag int) bool { return flag&(os.O_WRONLY|os.O_RDWR) != os.O_WRONLY }

func writable(flag int) bool { return flag&(os.O_WRONLY|os.O_RDWR) != os.O_RDONLY }
