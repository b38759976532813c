package endpoint

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check reports what is wrong with a value.
func (o *Option) check(text string) error {
	var err error
	switch o.Type {
	case Bool:
		_, err = switchValue(text)
	case Int:
		_, err = parseInt(text)
	case Size, Place:
		_, err = ParseSize(text)
	case Rate:
		_, err = parseRate(text)
	case Duration:
		_, err = parseDuration(text)
	case Enum:
		if !slices.Contains(o.Choices, text) {
			err = fmt.Errorf("%q is none of %s", text, strings.Join(o.Choices, ", "))
			if near := nearest(text, o.Choices); near != "" {
				err = fmt.Errorf("%q is unknown; did you mean %s?", text, near)
			}
		}
	case Text, Path:
		if text == "" {
			err = errors.New("it is empty")
		}
	case Mode:
		_, err = parseMode(text)
	case Address:
		_, err = parseIP(text)
	case Network:
		_, err = parseNetwork(text)
	case Host:
		_, err = parseHost(text)
	case Port:
		_, err = parsePort(text)
	case Pin:
		_, err = parsePin(text)
	}
	return err
}

// want is the hint that goes with a wrong value.
func (o *Option) want() string {
	switch o.Type {
	case Bool:
		return "want on or off"
	case Int:
		return "want a number"
	case Size:
		return "want a size such as 512, 64k or 1M"
	case Place:
		return "want a place such as " + o.Key + "1MB"
	case Rate:
		return "want a rate such as 10MB/s"
	case Duration:
		return "units required (500ms, 5s, 2m)"
	case Enum:
		return "want " + strings.Join(o.Choices, " or ")
	case Mode:
		return "want permissions such as 0660"
	case Address:
		return "want an IP address"
	case Network:
		return "want a network such as 192.0.2.0/24"
	case Pin:
		return "want sha256: and 64 hexadecimal digits"
	case Path:
		return "want " + o.Key + "=FILE"
	case Host:
		return "want a name or an IP address"
	case Port:
		return "want a number up to 65535"
	}
	return "want " + o.Key + "=TEXT"
}

func switchValue(text string) (Value, error) {
	switch text {
	case "on", "yes", "true", "1":
		return on, nil
	case "off", "no", "false", "0":
		return off, nil
	}
	return Value{}, fmt.Errorf("%q is neither on nor off", text)
}

func parseInt(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%s is too large", text)
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return int(n), nil
}

var units = []struct {
	letter string
	bytes  float64
}{{"T", 1 << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}}

// ParseSize reads a number of bytes as options have it: 512, 64k, 1.5M, 2GiB. The
// units are powers of 1024, upper or lower case.
func ParseSize(text string) (int64, error) {
	number, factor := strings.ToUpper(text), 1.0
	number = strings.TrimSuffix(strings.TrimSuffix(number, "B"), "I")
	for _, u := range units {
		if before, ok := strings.CutSuffix(number, u.letter); ok {
			number, factor = before, u.bytes
			break
		}
	}
	if strings.Trim(number, "0123456789.") != "" {
		return 0, fmt.Errorf("%q is not a size", text)
	}
	n, err := strconv.ParseFloat(number, 64)
	switch n *= factor; {
	case err != nil || n != math.Trunc(n):
		return 0, fmt.Errorf("%q is not a size", text)
	case n > 1<<50:
		return 0, fmt.Errorf("%s is too large", text)
	}
	return int64(n), nil
}

func parseRate(text string) (int64, error) {
	n, err := ParseSize(strings.TrimSuffix(text, "/s"))
	if err != nil {
		return 0, fmt.Errorf("%q is not a rate", text)
	}
	if n == 0 {
		return 0, errors.New("nothing at all would move")
	}
	return n, nil
}

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err == nil && d > 0:
		return d, nil
	case err == nil:
		return 0, errors.New("want more than zero")
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, fmt.Errorf("%s has no unit", text)
	}
	return 0, fmt.Errorf("%q is not a duration", text)
}

func parseMode(text string) (fs.FileMode, error) {
	n, err := strconv.ParseUint(text, 8, 32)
	if err != nil || n == 0 || n > 0o777 {
		return 0, fmt.Errorf("%q are no permissions", text)
	}
	return fs.FileMode(n), nil
}

func parseIP(text string) (netip.Addr, error) {
	inside, cut := strings.CutPrefix(text, "[")
	if cut {
		inside, cut = strings.CutSuffix(inside, "]")
		if !cut {
			inside = text
		}
	}
	a, err := netip.ParseAddr(inside)
	if err != nil {
		return a, fmt.Errorf("%q is not an IP address", text)
	}
	return a, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a.Unmap().WithZone(""), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("%q is not a network", text)
	}
	return p.Masked(), nil
}

// parsePin takes sha256:HEX, and sha256//BASE64 as curl writes it. It returns the
// former.
func parsePin(text string) (string, error) {
	var sum []byte
	var err error
	if digits, ok := strings.CutPrefix(text, "sha256:"); ok {
		sum, err = hex.DecodeString(digits)
	} else if encoded, ok := strings.CutPrefix(text, "sha256//"); ok {
		sum, err = base64.StdEncoding.DecodeString(encoded)
	}
	if err != nil || len(sum) != 32 {
		return "", fmt.Errorf("%q is not a pin", text)
	}
	return formatPin(sum), nil
}

func formatPin(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }
