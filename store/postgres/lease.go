package postgres

import (
	"context"
	"time"
)

// tuning are the times of an engine; tests shorten them.
type tuning struct {
	heartbeat  time.Duration // between renewals of the lease
	lease      time.Duration // how long a node may be silent before others close its stream
	poll       time.Duration // between looks at others' streams, while someone waits
	commitTime time.Duration // bounds the round trip that commits
	doubtTime  time.Duration // how long callers wait to be told whether a commit took place
	now        func() time.Time
}

func defaultTuning() tuning {
	return tuning{
		heartbeat: 2 * time.Second, lease: 15 * time.Second, poll: 100 * time.Millisecond,
		commitTime: commitTime, doubtTime: 10 * time.Second, now: time.Now,
	}
}

// openOwn begins a stream of this process: the next one, or for what has no
// events one that is known by a number out of their order, and listed nowhere.
func (c *committer) openOwn(ctx context.Context) error {
	id, events := 1<<62|newVersion(), []byte{0}
	if !c.bulk {
		answer, err := c.session.one(ctx, answerTime, nextStream)
		if err != nil {
			return err
		}
		if len(answer.rows) != 1 {
			return errAnswer
		}
		if id, err = answer.rows[0].number(0); err != nil {
			return err
		}
		events[0] = 1
	}
	// A number that is lost here is not given again.
	if _, err := c.session.one(ctx, answerTime, openStream, bigint(id), events); err != nil {
		return err
	}
	c.own = position{stream: id}
	c.id.Store(id)
	return nil
}

// beat renews the lease, closes the streams of nodes that are silent, and
// compares the clocks.
func (c *committer) beat() {
	if c.bulk && c.own.stream == 0 && c.doubt == nil { // nothing was ever committed
		return
	}
	if err := c.settle(c.ctx); err != nil {
		return // a caller is told
	}
	calls := []call{
		{beatStream, [][]byte{bigint(c.own.stream)}},
		{closeSilent, [][]byte{bigint(c.own.stream), bigint(uint64(c.lease.Milliseconds()))}},
		{dropEmpty, nil},
		{clock, nil},
	}
	before := c.now()
	results, err := c.session.again(c.ctx, calls...)
	if err != nil {
		c.session.leave(c.ctx)
		return
	}
	c.compare(before, results[3])
	for _, r := range results[1].rows {
		if id, err := r.number(0); err == nil {
			c.options.Log.Info("closed the stream of a node that is silent", "stream", id)
		}
	}
	if results[0].tag.RowsAffected() == 0 {
		c.options.Log.Warn("the store's lease had ended; a new stream begins", "stream", c.own.stream)
		c.own = position{}
		_ = c.settle(c.ctx) // or else the next group does
	}
}

// compare notes how far this machine's clock is ahead of the database's.
func (e *Engine) compare(before time.Time, answer result) {
	after := e.now()
	if len(answer.rows) != 1 {
		return
	}
	micros, err := answer.rows[0].number(0)
	if err != nil {
		return
	}
	middle := before.Add(after.Sub(before) / 2)
	off := middle.Sub(time.UnixMicro(int64(micros)))
	e.offset.Store(int64(off))
	if wrong := !e.ClockRight(); e.wrong.CompareAndSwap(!wrong, wrong) {
		if wrong {
			e.options.Log.Error("this machine's clock is wrong: no sessions are made until it is set right", "off", off.String(), "tolerated", clockTolerance.String())
		} else {
			e.options.Log.Info("this machine's clock is right again", "off", off.String())
		}
	}
}

// finish closes the stream, if the database can be reached.
func (c *committer) finish() {
	if c.settleDoubt() && c.own.stream != 0 {
		_, _ = c.session.one(c.ctx, answerTime, closeStream, bigint(c.own.stream)) // or else its lease ends
	}
	c.session.close()
}

func (c *committer) settleDoubt() bool {
	if c.doubt == nil {
		return true
	}
	_, known := c.resolve(c.ctx)
	return known
}
