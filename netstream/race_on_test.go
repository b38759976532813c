//go:build race

package netstream

// raceEnabled: the race detector slows everything down.
const raceEnabled = true
