package main

import (
	"errors"
	"testing"
)

func TestAddressesAndTheirCanonicalForms(t *testing.T) {
	for text, want := range map[string]string{
		"-":                     "stdio",
		"stdio":                 "stdio",
		"tcp:localhost:80":      "tcp:localhost:80",
		"localhost:80":          "tcp:localhost:80",
		"192.0.2.1:80":          "tcp:192.0.2.1:80",
		"[::1]:80":              "tcp:[::1]:80",
		"tcp:[::1]:80":          "tcp:[::1]:80",
		"tcp:::1:80":            "tcp:[::1]:80",
		"tcp:[fe80::1%25lo]:80": "tcp:[fe80::1%25lo]:80",
		"tcp-listen:80":         "tcp-listen:80",
		"tcp-listen::80":        "tcp-listen:80",
		"tcp-l:localhost:0":     "tcp-listen:localhost:0",
		"tcp-listen:[::]:80":    "tcp-listen:[::]:80",
		"unix:/run/s":           "unix:/run/s",
		"unix:@abstract":        "unix:@abstract",
		"unix:a%2Cb%2bc%25":     "unix:a%2Cb%2Bc%25",
		"unix-l:s":              "unix-listen:s",
		"/no/such/socket":       "unix:/no/such/socket",
		"./s":                   "unix:./s",
		"../s":                  "unix:../s",
		"echo":                  "echo",
		"discard":               "discard",
	} {
		a, err := parseAddress(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := a.String(); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestMistakesInAddressesAreUsageErrorsWithAHint(t *testing.T) {
	for text, hint := range map[string]string{
		"":                   "",
		"tpc:h:1":            "did you mean tcp?",
		"tcp-lisen:h:1":      "did you mean tcp-listen?",
		"unxi:/s":            "did you mean unix?",
		"ehco":               "did you mean echo?",
		"h:http":             "the layers are stdio tcp tcp-listen unix unix-listen echo discard",
		"tcp":                "want tcp:HOST:PORT",
		"tcp:":               "want tcp:HOST:PORT",
		"tcp:h":              "want tcp:HOST:PORT",
		"tcp::80":            "want tcp:HOST:PORT",
		"tcp:h:-1":           "want tcp:HOST:PORT",
		"tcp:h:99999":        "want tcp:HOST:PORT",
		"tcp:a b:80":         "want tcp:HOST:PORT",
		"tcp://h:80":         "want tcp:HOST:PORT",
		"tcp:[h]:80":         "want tcp:HOST:PORT",
		"tcp:[::1]":          "want tcp:HOST:PORT",
		"tcp:[fe80::1%lo]:1": "want tcp:HOST:PORT",
		"tcp-listen:":        "want tcp-listen:[HOST:]PORT",
		"unix:":              "want unix:PATH",
		"unix:a%0":           "want unix:PATH",
		"unix:a%00":          "want unix:PATH",
		"echo:1":             "want echo",
		"echo:":              "want echo",
		"a+b":                "write %2B for a + in a path",
		"a,b":                "write %2C for a comma in a path",
	} {
		a, err := parseAddress(text)
		var f *failure
		if !errors.As(err, &f) || f.code != exitUsage || f.hint != hint {
			t.Errorf("%q: %v, %#v; want the hint %q", text, a, err, hint)
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"-", "tcp:h:1", "tcp:::1:80", "tcp-l:1", "unix:/a%2Bb", "[::1]:80", "echo", "a+b,c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseAddress(text)
		if err != nil {
			return
		}
		again, err := parseAddress(a.String())
		if err != nil || again != a {
			t.Fatalf("%q is %#v, whose form %q is %#v, %v", text, a, a.String(), again, err)
		}
	})
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int{
		"0": 0, "512": 512, "64k": 64 << 10, "64K": 64 << 10, "1.5M": 3 << 19, "2GiB": 2 << 30, "1kb": 1 << 10, "1T": 1 << 40,
	} {
		var s size
		if err := s.Set(text); err != nil || int(s) != want {
			t.Errorf("%q is %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "k", "-1", "1.5", "64kk", "64x", "NaN", "1e300", "2T"} {
		if err := new(size).Set(text); err == nil {
			t.Errorf("%q is taken for a size", text)
		}
	}
	for n, want := range map[int]string{0: "0 B", 1023: "1023 B", 1024: "1.00 KiB", 12345: "12.1 KiB", 1 << 30: "1.00 GiB", 500 << 20: "500 MiB"} {
		if got := human(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
