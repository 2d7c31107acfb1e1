package cloudtrail

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
)

// posting says which events of one second have an attribute: those of one
// batch, in one stream. It stands in its account's scope under
//
//	day (4 bytes), term (16), second, stream, number of its last event (8 each, inverted)
//
// so that a day goes whole when it is old, and the newest second of an
// attribute comes first. Batches are large when there is much to index: then
// what events share costs a row a batch and not a row an event.
type posting struct {
	Stream uint64
	Events []posted
}

// posted is one event of a posting.
type posted struct {
	_      struct{} `cbor:",toarray"`
	Time   int64    // Unix nanoseconds
	Number uint64
}

const postingTable = "cloudtrail/posting"

var postings = store.NewTable[posting](postingTable)

func dayPart(day int64) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(day)))
}

func (t term) part() string { return string(t[:]) }

func postingPart(second int64, stream, number uint64) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 24), ^uint64(second))
	b = binary.BigEndian.AppendUint64(b, ^stream)
	return string(binary.BigEndian.AppendUint64(b, ^number))
}

// index is followed by the trail: it posts a batch of records.
func (s *Service) index(tx store.Tx, records []trail.Record) error {
	type name struct {
		account string
		second  int64
		stream  uint64
		term    term
	}
	terms := map[attribute]map[string]term{} // of a batch's attributes, by Region
	batch := map[name]*posting{}
	for i := range records {
		r := &records[i]
		if r.Event == nil || r.Scope == "" || !listed(r.Event) {
			continue
		}
		p := placeOf(r)
		for _, a := range attributes(r.Event) {
			t, ok := terms[a][r.Event.AWSRegion]
			if !ok {
				t = termOf(r.Event.AWSRegion, a)
				if terms[a] == nil {
					terms[a] = map[string]term{}
				}
				terms[a][r.Event.AWSRegion] = t
			}
			at := name{r.Scope, secondOf(p.time), p.stream, t}
			have := batch[at]
			if have == nil {
				have = &posting{Stream: p.stream}
				batch[at] = have
			}
			have.Events = append(have.Events, posted{Time: p.time, Number: p.number})
		}
	}
	for at, p := range batch {
		last := slices.MaxFunc(p.Events, func(a, b posted) int { return cmp.Compare(a.Number, b.Number) }).Number
		day := dayOf(p.Events[0].Time)
		if err := postings.Put(tx, at.account, p, dayPart(day), at.term.part(), postingPart(at.second, at.stream, last)); err != nil {
			return err
		}
	}
	return nil
}

// find answers the places that the index has for a term, older than below and
// not older than oldest, newest first: the first want of them, or all.
func find(tx store.Tx, account string, t term, below place, oldest int64, want int) ([]place, error) {
	first, ok, err := firstDay(tx, account)
	if err != nil || !ok {
		return nil, err
	}
	var found []place
	newest := below.time
	if below.stream == 0 && below.number == 0 {
		newest-- // nothing at that time is older
	}
	for day := dayOf(newest); day >= max(first, dayOf(oldest)) && len(found) < want; day-- {
		second := secondOf(min(newest, (day+1)*nanosADay-1))
		from := partsAt(dayPart(day), t.part(), postingPart(second, ^uint64(0), ^uint64(0)))
		have := int64(-1)
		for entry, err := range postings.List(tx, account, from, dayPart(day), t.part()) {
			if err != nil {
				return nil, err
			}
			if now := ^int64(binary.BigEndian.Uint64([]byte(entry.Parts[2]))); now != have {
				if len(found) >= want {
					break
				}
				have = now
			}
			for _, e := range entry.Value.Events {
				if p := (place{e.Time, entry.Value.Stream, e.Number}); p.compare(below) > 0 && e.Time >= oldest {
					found = append(found, p)
				}
			}
		}
	}
	slices.SortFunc(found, place.compare)
	return found[:min(len(found), want)], nil
}

// firstDay is the oldest day of which the index has something of the account.
func firstDay(tx store.Tx, account string) (day int64, ok bool, err error) {
	for entry, err := range postings.List(tx, account, nil) {
		if err != nil {
			return 0, false, err
		}
		return int64(binary.BigEndian.Uint32([]byte(entry.Parts[0]))), true, nil
	}
	return 0, false, nil
}

// partsAt is the place of a record in a listing, as store.Entry.At has it.
func partsAt(parts ...string) []byte {
	return store.Key("", "", parts...)[len(store.Key("", "")):]
}
