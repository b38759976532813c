//go:build !unix

package tlsstream

import "time"

func cpuTime() time.Duration { return time.Since(began) }
