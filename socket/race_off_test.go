//go:build !race

package socket

// raceEnabled: the race detector slows everything down.
const raceEnabled = false
