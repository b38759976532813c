package rows

// controlRows set something against itself. What they print is not 1 is what the
// machine, or the harness, does to all the others.
func controlRows() []Row {
	return []Row{
		{Name: "A/A: ping-pong 64 B of net, both ends", Setup: func(s *Scope) []Contestant {
			return []Contestant{netPingPong(s, 64), netPingPong(s, 64)}
		}},
		{Name: "A/A: echo 64 B of net, 50 connections", Setup: func(s *Scope) []Contestant {
			echo := func() Contestant {
				return Contestant{Name: "net", Fewer: true, Work: manyRoundTrips(s, child("echo net")(s), 64, 50)}
			}
			return []Contestant{echo(), echo()}
		}},
		{Name: "A/A: memory of an idle connection of net, both ends of 1000", Unit: "B", Setup: func(s *Scope) []Contestant {
			conns := s.Pick(200, 1000)
			return []Contestant{idle(s, "net", conns), idle(s, "net", conns)}
		}},
	}
}
