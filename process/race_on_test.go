//go:build race

package process

import "time"

// raceEnabled: the race detector slows everything down.
const raceEnabled = true

// slack is what an end may be late, because the machine has other things to do.
const slack = 5 * time.Second
