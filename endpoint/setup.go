package endpoint

import (
	"context"
	"net"
	"os"
	"strings"
	"time"

	"trigo"
)

// A part is a layer that has been made ready.
type part struct {
	phase Phase // what opening it is

	dial   func(ctx context.Context) (trigo.Stream, error) // of a layer that connects
	listen func(ctx context.Context) ([]source, error)     // of one that listens
	max    int                                             // connections of a listener at a time; 0: any number
	wrap   func(ctx context.Context, below trigo.Stream) (trigo.Stream, error)
	with   func() string // names the peer in errors of wrap

	// load reads its files again, and returns what puts the new contents in use;
	// may be nil.
	load func() (use func(), err error)
	pins func() []string // of the keys that it shows to peers; may be nil
}

// A source is a listener of the transport.
type source interface {
	trigo.Listener[trigo.Stream]
	Addr() net.Addr
	String() string
}

// setup is a layer on its way to a part, with the values of its options.
type setup struct {
	Layer
	below  []Layer
	opts   *Options
	values map[string][]string
}

// resolve looks up the values of all options.
func (s *setup) resolve() *Error {
	s.values = make(map[string][]string)
	for _, setting := range s.settings {
		text, err := setting.Value.resolve()
		if err != nil {
			return s.failure(setting.Key, "", err)
		}
		if setting.Value.Source != Literal {
			if err := setting.option.check(text); err != nil {
				return s.failure(setting.Key, setting.option.want(), err)
			}
		}
		s.values[setting.Key] = append(s.values[setting.Key], text)
	}
	return nil
}

// failure is an error of getting ready. An empty remedy is that of the table.
func (s *setup) failure(key, remedy string, err error) *Error {
	if remedy == "" {
		remedy = hint("", PhasePrepare, err)
	}
	return &Error{Layer: s.kind.Name, Key: key, Phase: PhasePrepare, Hint: remedy, Err: err}
}

// noVariable is the error of env:NAME for a NAME that is not set.
type noVariable string

func (n noVariable) Error() string { return "there is no variable " + string(n) }

// resolve returns the text of a value, wherever it is.
func (v Value) resolve() (string, error) {
	switch v.Source {
	case FromFile:
		text, err := os.ReadFile(v.Text)
		if err != nil {
			return "", err
		}
		return strings.TrimRight(string(text), "\r\n"), nil
	case FromEnv:
		text, ok := os.LookupEnv(v.Text)
		if !ok {
			return "", noVariable(v.Text)
		}
		return text, nil
	}
	return v.Text, nil
}

// text returns the value of an option, or its default.
func (s *setup) text(key string) string {
	if v := s.values[key]; len(v) > 0 {
		return v[len(v)-1]
	}
	o, _ := s.kind.option(key)
	return o.Default
}

// list returns all values of an option. One that was looked up elsewhere may hold
// several, with commas in between.
func (s *setup) list(key string) []string {
	var all []string
	for _, v := range s.values[key] {
		for item := range strings.SplitSeq(v, ",") {
			if item = strings.TrimSpace(item); item != "" {
				all = append(all, item)
			}
		}
	}
	return all
}

// set reports whether an option was given.
func (s *setup) set(key string) bool { return len(s.values[key]) > 0 }

func (s *setup) on(key string) bool { return s.text(key) == on.Text }

// The values were checked when they were parsed, so that there is no error left.

func (s *setup) duration(key string) time.Duration { d, _ := parseDuration(s.text(key)); return d }
func (s *setup) size(key string) int64             { n, _ := ParseSize(s.text(key)); return n }
func (s *setup) number(key string) int             { n, _ := parseInt(s.text(key)); return n }
