package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/garrison-security/garrison/store"
)

// unfinished is added to the format of tables that are being restored, which
// no release starts on; the release's place holds the restore's own name.
const unfinished = 1_000_000

// emptyTables is what a restore begins with, and what it leaves when it gives up.
const emptyTables = `TRUNCATE garrison_kv, garrison_rows, garrison_streams`

// A restore writes so much together.
const (
	restorePairs = 1000
	restoreBytes = 4 << 20
)

// Restore begins to restore a store in the database that url names, where there
// is none; what an earlier restore that broke off has left there is removed.
func Restore(ctx context.Context, url string, options store.Options) (store.Restoration, error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	return restore(ctx, config, options)
}

func restore(ctx context.Context, config *pgconn.Config, options store.Options) (store.Restoration, error) {
	r := &restoration{session: &session{dialer: &dialer{config: config}}, release: options.Release, name: "restore " + rand.Text()}
	if err := r.begin(ctx); err != nil {
		r.session.close()
		return nil, fmt.Errorf("restore the store at %s: %w", config.Host, err)
	}
	return r, nil
}

// restoration is a store.Restoration.
type restoration struct {
	session *session
	release string
	name    string
	again   bool
	ended   bool

	keys, versions, values [][]byte
	rows                   []call
	bytes                  int
	stream, last           uint64 // the one whose rows are added
	streams                uint64 // that were added
}

// begin makes the tables this restore's own: they are empty, and no node uses them.
func (r *restoration) begin(ctx context.Context) error {
	s := r.session
	if err := s.open(ctx); err != nil {
		return unavailable(err)
	}
	if _, err := s.version(ctx); err != nil {
		return err
	}
	found, err := s.readStamp(ctx, readMeta)
	switch {
	case code(err, "42P01"): // there is no such table
	case err != nil:
		return unavailable(err)
	case found.format >= unfinished:
		r.again = true
		if err := r.own(ctx, false, stamp{format: found.format - unfinished}); err != nil {
			return err
		}
	}
	if err := s.migrate(ctx, r.release); err != nil {
		return err
	}
	return r.own(ctx, true, stamp{unfinished + len(migrations), r.name})
}

// own empties the tables and stamps them, under the lock that starts take, too;
// unless, if that is asked, they hold something or a node is about to.
func (r *restoration) own(ctx context.Context, unused bool, as stamp) (err error) {
	s := r.session
	defer func() {
		if err != nil {
			s.leave(ctx)
		}
	}()
	if err := s.script(ctx, "BEGIN"); err != nil {
		return unavailable(err)
	}
	if _, err := s.readStamp(ctx, lockMeta); err != nil {
		return unavailable(err)
	}
	if unused {
		answer, err := s.one(ctx, commitTime, inUse)
		if err != nil {
			return unavailable(err)
		}
		if len(answer.rows) > 0 {
			return store.ErrNotEmpty
		}
	}
	return r.stampAndCommit(ctx, as)
}

func (r *restoration) stampAndCommit(ctx context.Context, as stamp) error {
	s := r.session
	if err := s.script(ctx, emptyTables); err != nil {
		return unavailable(err)
	}
	err := s.run(ctx, stampMeta, []byte(strconv.Itoa(as.format)), []byte(as.release))
	if err == nil {
		err = s.run(ctx, `UPDATE garrison_meta SET streams = 0 WHERE id = 1`)
	}
	if err == nil {
		err = s.script(ctx, "COMMIT")
	}
	return unavailable(err)
}

// Again implements store.Restoration.
func (r *restoration) Again() bool { return r.again }

// Put implements store.Restoration.
func (r *restoration) Put(ctx context.Context, key, sealed []byte) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	r.keys = append(r.keys, append([]byte{}, key...))
	r.versions = append(r.versions, bigint(newVersion()))
	r.values = append(r.values, append([]byte{}, sealed...))
	r.bytes += len(key) + len(sealed)
	return r.turn(ctx)
}

// AddRow implements store.Restoration.
func (r *restoration) AddRow(ctx context.Context, stream uint64, row store.Row) error {
	if stream == 0 || stream > maxNumber || row.Last > maxNumber {
		return errors.New("store: a stream or a row out of range")
	}
	if stream != r.stream {
		if stream < r.stream {
			return errors.New("store: streams out of order")
		}
		r.endStream()
		r.stream = stream
	}
	r.last = row.Last
	data := append([]byte{}, row.Data...)
	r.rows = append(r.rows, call{putRow, [][]byte{bigint(stream), bigint(row.Last), bigint(row.First), bigint(newVersion()), data}})
	r.bytes += len(data)
	return r.turn(ctx)
}

// endStream adds the stream whose rows were added.
func (r *restoration) endStream() {
	if r.stream > 0 {
		r.rows = append(r.rows, call{addStream, [][]byte{bigint(r.stream), bigint(r.last)}})
		r.streams++
	}
}

func (r *restoration) turn(ctx context.Context) error {
	if len(r.keys)+len(r.rows) < restorePairs && r.bytes < restoreBytes {
		return nil
	}
	return r.write(ctx)
}

// write writes what is gathered, in a transaction, if the tables are still this restore's.
func (r *restoration) write(ctx context.Context) error {
	if r.ended {
		return store.ErrClosed
	}
	calls := []call{{theRestore, [][]byte{[]byte(r.name)}}}
	if len(r.keys) > 0 {
		calls = append(calls, call{putKeys, [][]byte{byteArray(r.keys), array(oidBigint, r.versions), byteArray(r.values)}})
	}
	_, err := r.session.do(ctx, commitTime, append(calls, r.rows...)...)
	if code(err, "22012") {
		return fmt.Errorf("%w: another restore has taken the database", store.ErrNotEmpty)
	}
	r.keys, r.versions, r.values, r.rows, r.bytes = nil, nil, nil, nil, 0
	return failure(ctx, err)
}

// Finish implements store.Restoration.
func (r *restoration) Finish(ctx context.Context, last uint64) (err error) {
	if last > maxNumber {
		return errors.New("store: a stream out of range")
	}
	r.endStream()
	if err := r.write(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			r.session.leave(ctx)
		}
	}()
	if err := r.session.script(ctx, "BEGIN"); err != nil {
		return unavailable(err)
	}
	// Whoever opens a stream waits for the lock on the row that theRestore changes.
	results, err := r.session.do(ctx, commitTime, call{theRestore, [][]byte{[]byte(r.name)}}, call{statement: countStreams})
	if err != nil {
		return failure(ctx, err)
	}
	var there, opened uint64
	if there, err = results[1].rows[0].number(0); err == nil {
		opened, err = results[1].rows[0].number(1)
	}
	if err != nil {
		return unavailable(err)
	}
	if there != r.streams || opened != 0 {
		return fmt.Errorf("%w: a node has used the database meanwhile", store.ErrNotEmpty)
	}
	results, err = r.session.do(ctx, commitTime,
		call{setMeta, [][]byte{bigint(uint64(len(migrations))), []byte(r.release), bigint(max(last, r.stream))}}, call{statement: commit})
	switch {
	case refused(err):
		return failure(ctx, err)
	case err != nil:
		return fmt.Errorf("%w: %v", store.ErrUnknownFate, err)
	case r.session.warned || results[1].tag.String() != "COMMIT":
		return fmt.Errorf("%w: the database warned of the commit", store.ErrUnknownFate)
	}
	r.ended = true
	r.session.close()
	return nil
}

// Abort implements store.Restoration.
func (r *restoration) Abort() {
	if r.ended {
		return
	}
	r.ended = true
	defer r.session.close()
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	r.session.leave(ctx)
	if r.session.script(ctx, "BEGIN") != nil {
		return
	}
	if _, err := r.session.one(ctx, commitTime, theRestore, []byte(r.name)); err != nil {
		r.session.leave(ctx)
		return
	}
	if r.stampAndCommit(ctx, stamp{format: len(migrations)}) != nil {
		r.session.leave(ctx)
	}
}
