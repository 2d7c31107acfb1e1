package trail

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/garrison-security/garrison/store"
)

// checkpoint says that a stream was cut by right: its events up to number are
// gone, and head is the chain's after them.
type checkpoint struct {
	number uint64
	head   Head
	before time.Time
	reason string
}

func checkpointKey(stream uint64) []byte {
	return store.Key(table, "", "checkpoint", string(binary.BigEndian.AppendUint64(nil, stream)))
}

func (c *checkpoint) value() []byte {
	b := binary.AppendUvarint([]byte{1}, c.number)
	b = append(b, c.head[:]...)
	b = binary.AppendVarint(b, c.before.Unix())
	return append(b, c.reason...)
}

func parseCheckpoint(value []byte) (*checkpoint, error) {
	bad := errors.New("trail: a damaged checkpoint")
	if len(value) == 0 || value[0] != 1 {
		return nil, bad
	}
	r := reader{rest: value[1:]}
	c := &checkpoint{number: r.uvarint()}
	head := r.take(hashSize)
	before, n := binary.Varint(r.rest)
	if r.bad || n <= 0 {
		return nil, bad
	}
	c.head, c.before, c.reason = Head(head), time.Unix(before, 0).UTC(), string(r.rest[n:])
	return c, nil
}

// checkpointOf is the stream's checkpoint, or one before its first event.
func checkpointOf(tx store.Tx, stream uint64) (*checkpoint, error) {
	value, err := tx.Get(checkpointKey(stream))
	if errors.Is(err, store.ErrNotFound) {
		return &checkpoint{head: startHead(stream)}, nil
	}
	if err != nil {
		return nil, err
	}
	return parseCheckpoint(value)
}

// checkpoints reads all checkpoints, by stream.
func (t *Trail) checkpoints(ctx context.Context) (map[uint64]*checkpoint, error) {
	var all map[uint64]*checkpoint
	err := t.Engine.View(ctx, func(tx store.Tx) error {
		all = map[uint64]*checkpoint{}
		from, to := store.Prefix(table, "", "checkpoint")
		for pair, err := range tx.Scan(from, to, false) {
			if err != nil {
				return err
			}
			_, _, parts, _ := store.Parts(pair.Key)
			if len(parts) != 2 || len(parts[1]) != 8 {
				return errors.New("trail: a damaged checkpoint")
			}
			c, err := parseCheckpoint(pair.Value)
			if err != nil {
				return err
			}
			all[binary.BigEndian.Uint64([]byte(parts[1]))] = c
		}
		return nil
	})
	return all, err
}

// streamHead is a stream's head as an event or a file holds it.
type streamHead struct {
	Stream   uint64 `json:"stream"`
	Position uint64 `json:"position"`
	Head     string `json:"head"`
}

func headText(h Head) string { return hex.EncodeToString(h[:]) }

// openDetails are the serviceEventDetails of OpenStream.
type openDetails struct {
	Streams []streamHead `json:"streams"`
}

// listedMax bounds the streams that one OpenStream lists; more are listed by the next.
const listedMax = 200

// Begin records, in this process's stream, the heads that earlier streams ended
// with, so that none can be removed whole, or cut short, while a later one
// stands. Call it once after the start; calls need not wait for it, and what a
// process that is killed before did not write down, the next one does.
func (t *Trail) Begin(ctx context.Context, now time.Time) error {
	streams, err := t.Engine.Streams(ctx)
	if err != nil {
		return err
	}
	var listed map[string]bool
	err = t.Engine.View(ctx, func(tx store.Tx) error {
		listed = map[string]bool{}
		from, to := store.Prefix(table, "", "listed")
		for pair, err := range tx.Scan(from, to, false) {
			if err != nil {
				return err
			}
			listed[string(pair.Key)] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	details := openDetails{Streams: []streamHead{}}
	var put [][]byte
	for _, s := range streams {
		key := store.Key(table, "", "listed", string(binary.BigEndian.AppendUint64(nil, s.ID)))
		if listed[string(key)] {
			delete(listed, string(key))
			continue
		}
		if len(details.Streams) == listedMax {
			break
		}
		row, ok, err := t.end(ctx, s.ID)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		head, err := t.Journal.Head(row.Data)
		if err != nil {
			return err
		}
		details.Streams = append(details.Streams, streamHead{s.ID, row.Last, hex.EncodeToString(head)})
		if s.Closed {
			put = append(put, key)
		}
	}
	e := own("OpenStream", now)
	if e.ServiceEventDetails, err = json.Marshal(details); err != nil {
		return err
	}
	err = t.Engine.Update(ctx, func(tx store.Tx) error {
		for _, key := range put {
			if err := tx.Put(key, []byte{1}); err != nil {
				return err
			}
		}
		for key := range listed { // of streams that are gone
			if err := tx.Delete([]byte(key)); err != nil {
				return err
			}
		}
		return Append(tx, &e)
	})
	if err != nil {
		return fmt.Errorf("begin the record: %w", err)
	}
	return nil
}
