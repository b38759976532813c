package main

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// admission decides who is served.
type admission struct {
	allow, deny *networks
	perIP       int
	most        int     // with --overload reject; 0: any number
	rate        float64 // connections in a second; 0: any

	mu   sync.Mutex
	here int
	at   map[netip.Addr]int
	next time.Time // when the next one may be accepted
}

func (o *options) admission() *admission {
	ad := &admission{allow: &o.allow, deny: &o.deny, perIP: o.maxPerIP, rate: o.acceptRate, at: map[netip.Addr]int{}}
	if o.overload == "reject" {
		ad.most = o.maxConns
	}
	return ad
}

// admit reports why a peer is not served, "" if it is; then leave must be called
// when it has left. A peer without an address, on a Unix socket, is on no list.
func (ad *admission) admit(peer net.Addr) (why string, leave func()) {
	ip, ok := addressOf(peer)
	ad.mu.Lock()
	defer ad.mu.Unlock()
	switch {
	case ok && ad.deny.has(ip):
		return "denied by --deny", nil
	case ok && ad.allow.isSet() && !ad.allow.has(ip):
		return "not in --allow", nil
	case ad.most > 0 && ad.here >= ad.most:
		return "more than --max-conns", nil
	case ok && ad.perIP > 0 && ad.at[ip] >= ad.perIP:
		return "more than --max-per-ip", nil
	}
	ad.here++
	ad.at[ip]++
	return "", func() {
		ad.mu.Lock()
		defer ad.mu.Unlock()
		ad.here--
		if ad.at[ip]--; ad.at[ip] == 0 {
			delete(ad.at, ip)
		}
	}
}

// pace waits until the rate allows another connection.
func (ad *admission) pace(ctx context.Context) {
	if ad.rate <= 0 {
		return
	}
	ad.mu.Lock()
	now := time.Now()
	wait := ad.next.Sub(now)
	ad.next = now.Add(max(wait, 0) + time.Duration(float64(time.Second)/ad.rate))
	ad.mu.Unlock()
	sleep(ctx, wait)
}

func addressOf(a net.Addr) (netip.Addr, bool) {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap(), true
	case *net.UDPAddr:
		return a.AddrPort().Addr().Unmap(), true
	}
	return netip.Addr{}, false
}
