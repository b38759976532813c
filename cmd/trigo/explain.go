package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"trigo/endpoint"
)

func runExplain(o *options, out *console) error {
	j, err := newJob(o, out)
	if err != nil {
		return err
	}
	return j.explain()
}

// explanation is what explain prints as JSON.
type explanation struct {
	A, B     endpoint.Explanation
	Run      string
	Command  string
	Warnings []string `json:",omitempty"`
}

// explain prints what the job is, and starts nothing.
func (j *job) explain() error {
	x := explanation{A: j.sides[0].Explain(), B: j.sides[1].Explain()}
	x.Command = "trigo " + x.A.Canonical + " " + x.B.Canonical
	x.Run = j.manner(x)
	for side, e := range []endpoint.Explanation{x.A, x.B} {
		for _, w := range e.Warnings {
			text := sideNames[side] + " " + w.Text
			if w.Code == "exposed" {
				if j.allow.isSet() {
					continue
				}
				text += " or --allow"
			} else if w.Code == "root" {
				text = w.Text
			}
			x.Warnings = append(x.Warnings, text)
		}
	}
	var err error
	if j.json {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		err = enc.Encode(x)
	} else {
		_, err = fmt.Printf("a: %s\nb: %s\nrun: %s\nsame as: %s\n", x.A.Text, x.B.Text, x.Run, x.Command)
		if len(x.Warnings) > 0 {
			_, err = fmt.Printf("warning: %s\n", strings.Join(x.Warnings, "; "))
		}
	}
	if err == nil && j.strict && len(x.Warnings) > 0 {
		return usage("the last line on standard output has them", "%d warnings, and --strict", len(x.Warnings))
	}
	return err
}

// manner says how the relay would run.
func (j *job) manner(x explanation) string {
	limit := func(d string) string {
		if d == "0s" {
			return "off"
		}
		return d
	}
	parts := []string{"half-close both ways", "linger " + limit(brevity(j.linger)), "idle " + limit(brevity(j.idle))}
	if j.oneWay || j.oneWayBack {
		parts[0] = map[bool]string{true: "one way, a to b", false: "one way, b to a"}[j.oneWay]
		parts = append(parts[:1], parts[2:]...)
	}
	if j.sides[0].Listens() || j.sides[1].Listens() {
		if j.once {
			parts = append(parts, "one connection")
		} else {
			most := "any number of connections"
			if j.maxConns > 0 {
				most = fmt.Sprintf("up to %d connections", j.maxConns)
			}
			parts = append(parts, most, "drain "+limit(brevity(j.drain)))
		}
	}
	how := "kernel, where it is faster"
	switch reason := cmp.Or(x.A.CopyReason, x.B.CopyReason); {
	case j.copy == "plain":
		how = "user space (--copy plain)"
	case reason != "":
		how = "user space (" + reason + ")"
	case j.copy == "splice":
		how = "kernel"
	}
	return strings.Join(append(parts, "copy: "+how), ", ")
}
