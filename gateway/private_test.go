package gateway

import (
	"net/netip"
	"testing"
)

func TestWhoIsOverheard(t *testing.T) {
	for _, c := range []struct {
		address string
		secure  bool
		want    bool
	}{{"192.0.2.1", true, true}, {"192.0.2.1", false, false}, {"127.0.0.1", false, true}, {"::1", false, true}, {"0.0.0.0", false, false}} {
		call := &Call{from: origin{address: netip.MustParseAddr(c.address), secure: c.secure}}
		if call.Private() != c.want {
			t.Errorf("%+v", c)
		}
	}
	if !new(Call).Private() {
		t.Error("a call in process is overheard")
	}
}
