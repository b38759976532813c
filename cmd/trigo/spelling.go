package main

import "strings"

// nearestFlag returns the flag that begins like name, or that differs in a
// letter or two.
func nearestFlag(specs []flagSpec, name string) string {
	for _, f := range specs {
		if len(name) > 2 && (strings.HasPrefix(f.name, name) || strings.HasPrefix(name, f.name) && len(f.name) > 2) {
			return f.dashed()
		}
	}
	for _, f := range specs {
		if len(f.name) > 2 && oneSlip(f.name, name) {
			return f.dashed()
		}
	}
	return ""
}

// oneSlip reports whether a and b differ in one letter that was changed, left
// out or added, or in two neighbours that changed places.
func oneSlip(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	switch len(a) - len(b) {
	case 0:
		if i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] {
			return a[i+2:] == b[i+2:]
		}
		return i == len(a) || a[i+1:] == b[i+1:]
	case 1:
		return a[i+1:] == b[i:]
	}
	return false
}

// orList is "a, b or c".
func orList(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " or " + items[last]
}
