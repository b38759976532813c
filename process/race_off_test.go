//go:build !race

package process

// raceEnabled: the race detector slows everything down.
const raceEnabled = false
