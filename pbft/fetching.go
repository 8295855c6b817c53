package pbft

import (
	"maps"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// fetching remembers which batches are waited for, by whom, and whom to ask.
// Nothing is asked for at once: a body usually travels right behind its
// pre-prepare. One still missing after a whole heartbeat, hence at the second
// tick, is asked of the senders of its votes in turn, then of everyone. [N7]
type fetching struct {
	self  messages.Index
	n     int
	wants map[messages.Digest]*want
	shun  uint64 // members to be asked last, a bit each
}

type want struct {
	seqs    []messages.Seq
	holders []messages.Index // asked first, in this order
	since   uint64           // the tick of the first wish
	asked   int
}

func newFetching(cfg Config) *fetching {
	return &fetching{self: cfg.Self, n: cfg.N, wants: make(map[messages.Digest]*want)}
}

// want notes that seq waits for a batch, which holder is said to hold.
func (f *fetching) want(digest messages.Digest, seq messages.Seq, holder messages.Index, tick uint64) {
	w := f.wants[digest]
	if w == nil {
		w = &want{since: tick}
		f.wants[digest] = w
	}
	if !slices.Contains(w.seqs, seq) {
		w.seqs = append(w.seqs, seq)
	}
	if holder != f.self && !slices.Contains(w.holders, holder) {
		w.holders = append(w.holders, holder)
	}
}

// arrived gives the sequences that waited for the batch, and forgets the wish.
func (f *fetching) arrived(digest messages.Digest) []messages.Seq {
	w := f.wants[digest]
	if w == nil {
		return nil
	}
	delete(f.wants, digest)
	return w.seqs
}

// executed drops the wishes of sequences that need nothing any more.
func (f *fetching) executed(seq messages.Seq) {
	for digest, w := range f.wants {
		w.seqs = slices.DeleteFunc(w.seqs, func(s messages.Seq) bool { return s <= seq })
		if len(w.seqs) == 0 {
			delete(f.wants, digest)
		}
	}
}

// due gives what to ask whom at this tick, members and digests in order.
func (f *fetching) due(tick uint64) []FetchBatches {
	byMember := make(map[messages.Index][]messages.Digest)
	digests := slices.SortedFunc(maps.Keys(f.wants), compareDigests)
	for _, digest := range digests {
		w := f.wants[digest]
		if tick < w.since+2 {
			continue
		}
		to := f.next(w)
		if len(byMember[to]) < messages.FetchBatchMax {
			byMember[to] = append(byMember[to], digest)
		}
	}
	var list []FetchBatches
	for _, to := range slices.Sorted(maps.Keys(byMember)) {
		list = append(list, FetchBatches{to, byMember[to]})
	}
	return list
}

// next rotates: the known holders first, then every other member. Those to be
// shunned are passed over until everybody else has been asked once.
func (f *fetching) next(w *want) messages.Index {
	for {
		i := w.asked
		w.asked++
		var to messages.Index
		if i < len(w.holders) {
			to = w.holders[i]
		} else {
			to = messages.Index((i - len(w.holders)) % f.n)
		}
		shunned := f.shun&(1<<to) != 0 && i < len(w.holders)+f.n
		if to != f.self && !shunned {
			return to
		}
	}
}

func compareDigests(a, b messages.Digest) int { return slices.Compare(a[:], b[:]) }
