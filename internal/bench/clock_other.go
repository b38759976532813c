//go:build !unix

package bench

import "time"

// processorTime is the time of the clock: there is no portable other.
func processorTime() time.Duration { return time.Since(began) }
