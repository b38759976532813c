package process

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// environment returns the environment of the child.
func (c *Command) environment() []string {
	if c.Env != nil {
		return lastOfEach(c.Env)
	}
	env := os.Environ()
	if c.Dir == "" {
		return env
	}
	if dir, err := filepath.Abs(c.Dir); err == nil {
		env = append(env, "PWD="+dir)
	}
	return lastOfEach(env)
}

// lastOfEach returns env with the last of the variables of each name.
func lastOfEach(env []string) []string {
	seen := make(map[string]bool, len(env))
	kept := make([]string, 0, len(env))
	for _, variable := range slices.Backward(env) {
		name, _, _ := strings.Cut(variable, "=")
		if !seen[name] {
			seen[name] = true
			kept = append(kept, variable)
		}
	}
	slices.Reverse(kept)
	return kept
}
