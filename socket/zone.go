package socket

import (
	"errors"
	"net"
	"strconv"
	"sync"
	"time"
)

// zones remembers the names of the interfaces, because each address of the
// local link that is received needs one. It is forgotten after a minute, and
// whenever it does not know an answer.
var zones struct {
	sync.Mutex
	names map[uint32]string
	until time.Time
}

const zonesKeep = time.Minute

// zoneName returns the zone for the interface of an index: its name, or the
// index if it has none.
func zoneName(index uint32) string {
	zones.Lock()
	defer zones.Unlock()
	if name, ok := zones.names[index]; ok && time.Now().Before(zones.until) {
		return name
	}
	if all, err := net.Interfaces(); err == nil {
		zones.names = make(map[uint32]string, len(all))
		for _, i := range all {
			zones.names[uint32(i.Index)] = i.Name
		}
		zones.until = time.Now().Add(zonesKeep)
	}
	if name, ok := zones.names[index]; ok {
		return name
	}
	return strconv.FormatUint(uint64(index), 10)
}

var errZone = errors.New("the zone is neither the name nor the number of an interface")

// zoneIndex is the inverse of zoneName.
func zoneIndex(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	zones.Lock()
	defer zones.Unlock()
	if time.Now().Before(zones.until) {
		for index, name := range zones.names {
			if name == zone {
				return index, nil
			}
		}
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index), nil
	}
	n, err := strconv.ParseUint(zone, 10, 32)
	if err != nil {
		return 0, errZone
	}
	return uint32(n), nil
}
