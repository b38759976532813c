//go:build race

package pollio

// raceEnabled: with the race detector a pool loses things on purpose.
const raceEnabled = true
