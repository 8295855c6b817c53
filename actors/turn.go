package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
)

// turn spreads what the members do to their disks when a checkpoint is stable. They
// all learn of it at the same time, and writing it takes as long as many sequences,
// in which whoever writes is late with its votes: if all write, the cluster stands
// still, and if one does, the others are a quorum. So each waits for its turn, by its
// index, within the first half of the way to the next checkpoint. [C3]
type turn struct {
	reached  messages.Seq  // the last checkpoint that was executed
	at       time.Time     // when it was, or when execution began
	interval time.Duration // since the one before, or since execution began

	waiting messages.Seq // the checkpoint whose turn is waited for
	came    messages.Seq // the highest one whose turn came
	timer   runtime.Timer
}

// turnsMax bounds the time over which the members' turns are spread.
const turnsMax = time.Second

// turnCame says that it is time to write a checkpoint.
type turnCame struct{ seq messages.Seq }

// reach is when a checkpoint is executed: how quickly they follow each other says how
// long turns may be.
func (t *turn) reach(seq messages.Seq, now time.Time) {
	if seq <= t.reached {
		return
	}
	t.reached, t.at, t.interval = seq, now, now.Sub(t.at)
}

// wait is how long a member waits for its turn.
func (t *turn) wait(self messages.Index, members int) time.Duration {
	return min(t.interval/2, turnsMax) * time.Duration(self) / time.Duration(members)
}

// again has a turn waited for anew, after a panic on which its timer may have been lost.
func (t *turn) again() { t.waiting = t.came }

func (t *turn) stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
}

// itsTurn reports whether a stable checkpoint is to be written now; else persist is
// called again when it is. Execution that is half way to the next one waits no longer.
func (x *executor) itsTurn(c actor.Context, seq messages.Seq) bool {
	t := &x.turn
	if seq <= t.came || x.state.seq >= seq+x.t.cfg.Genesis.Params.CheckpointInterval/2 {
		return true
	}
	if seq <= t.waiting {
		return false
	}
	t.stop()
	t.waiting = seq
	wait := t.wait(x.t.cfg.Self, x.t.n)
	if wait <= 0 {
		t.came = seq
		return true
	}
	t.timer = x.t.after(c, wait, &turnCame{seq})
	return false
}
