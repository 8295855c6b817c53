package pbft_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// aState is a state of so many buckets, the second of which has several parts.
func aState(seq messages.Seq, buckets int) (*messages.Manifest, [][]byte) {
	m := &messages.Manifest{Seq: seq, Head: digestOf(1), Certificate: []*messages.Bundle{{}}}
	var parts [][]byte
	list := make([][]messages.Digest, buckets)
	for i := range list {
		data := fmt.Appendf(nil, "bucket %d", i)
		if i == 1 {
			data = make([]byte, 2*messages.PartBytesMax+7)
		}
		list[i] = pbft.HashParts(data)
		parts = append(parts, pbft.SplitParts(data)...)
	}
	m.App = pbft.ListBuckets(list)
	return m, parts
}

// fetcher is member 0 of n, which is behind, with others that serve.
type fetcher struct {
	*pbft.Transfer
	t     *testing.T
	n     int
	stuff map[messages.Digest]*messages.Manifest
	parts map[messages.Digest][][]byte
	// serve answers for a member; nil is honest, and answers nothing if that is
	// what it gives.
	serve   map[messages.Index]func(pbft.AskParts, *messages.Chunk) *messages.Chunk
	seq     messages.Seq // what all offer
	stored  map[pbft.Part]string
	asked   map[messages.Index]int
	charged []messages.Index
	late    []messages.Index
	whole   *messages.Manifest
	dropped int
	ahead   uint64 // 0 is everybody
	resting bool
}

func newFetcher(t *testing.T, n int) *fetcher {
	return &fetcher{
		Transfer: pbft.NewTransfer(0, n), t: t, n: n, stuff: make(map[messages.Digest]*messages.Manifest), parts: make(map[messages.Digest][][]byte),
		serve: make(map[messages.Index]func(pbft.AskParts, *messages.Chunk) *messages.Chunk), stored: make(map[pbft.Part]string), asked: make(map[messages.Index]int),
	}
}

func (f *fetcher) has(m *messages.Manifest, parts [][]byte) {
	f.seq = m.Seq
	f.stuff[m.Digest()], f.parts[m.Digest()] = m, parts
}

func (f *fetcher) usable() pbft.Usable {
	if f.ahead == 0 {
		return pbft.Usable{Ahead: 1<<f.n - 2, Resting: f.resting}
	}
	return pbft.Usable{Ahead: f.ahead, Resting: f.resting}
}

// trimmed has the members say that they no longer have sequence 1.
func (f *fetcher) trimmed(members ...messages.Index) {
	for _, m := range members {
		f.perform(f.OnRetained(m, &messages.Retained{First: f.seq - 2, Snapshot: f.seq}))
	}
}

// honest is what a correct member answers.
func (f *fetcher) honest(e pbft.AskParts) *messages.Chunk {
	parts := f.parts[e.Manifest]
	if parts == nil {
		return nil
	}
	c := &messages.Chunk{Manifest: e.Manifest, First: uint32(e.First)}
	bytes := 0
	for _, p := range parts[e.First : e.First+e.Count] {
		if bytes += len(p); bytes > messages.PartBytesMax {
			break
		}
		c.Parts = append(c.Parts, p)
	}
	return c
}

func (f *fetcher) perform(effects []pbft.TransferEffect) {
	for _, e := range effects {
		switch e := e.(type) {
		case pbft.AskManifest:
			for _, m := range f.stuff {
				if m.Seq == e.Seq {
					f.perform(f.OnManifest(e.To, m))
					f.perform(f.Ask(f.usable()))
				}
			}
		case pbft.AskParts:
			f.asked[e.To]++
			chunk := f.honest(e)
			if serve := f.serve[e.To]; serve != nil {
				chunk = serve(e, chunk)
			}
			if chunk != nil {
				f.perform(f.OnChunk(e.To, chunk))
				f.perform(f.Ask(f.usable()))
			}
		case pbft.BeginTransfer:
			for p := range f.stored {
				if !e.Keep[p] {
					delete(f.stored, p)
				}
			}
		case pbft.StorePart:
			if _, twice := f.stored[e.Part]; twice {
				f.t.Errorf("part %v is stored twice", e.Part)
			}
			f.stored[e.Part] = string(e.Data)
		case pbft.FinishTransfer:
			f.whole = e.Manifest
		case pbft.AbandonTransfer:
			clear(f.stored)
			f.dropped++
		case pbft.SentWrongPart:
			f.charged = append(f.charged, e.From)
		case pbft.ServedLate:
			f.late = append(f.late, e.From)
		}
	}
}

func (f *fetcher) ticks(n int) {
	for range n {
		if f.whole != nil {
			return
		}
		f.perform(f.OnTick(f.usable()))
	}
}

// complete checks that what was stored is the state, part by part.
func (f *fetcher) complete(m *messages.Manifest, parts [][]byte) {
	f.t.Helper()
	if f.whole == nil || f.whole.Digest() != m.Digest() {
		f.t.Fatalf("the state is not whole: %d of %d parts", len(f.stored), len(parts))
	}
	names, _ := pbft.PartsOf(m)
	for i, p := range names {
		if f.stored[p] != string(parts[i]) {
			f.t.Errorf("part %v is another", p)
		}
	}
	if len(f.stored) != len(names) {
		f.t.Errorf("%d parts are stored, %d were wanted", len(f.stored), len(names))
	}
}

// A snapshot is called for when a member that must be correct says that the
// ledger of the others begins too high, or everybody who is ahead; before, batches
// may still be had.
func TestR4_WhenASnapshotIsCalledFor(t *testing.T) {
	m, parts := aState(8, 5)
	for _, tt := range []struct {
		says  []messages.Index
		ahead uint64
		want  bool
	}{
		{[]messages.Index{1}, 0b1110, false},
		{[]messages.Index{1, 2}, 0b1110, true},
		{[]messages.Index{1}, 0b0010, true},
		{[]messages.Index{1, 2}, 0b1000, false},
		{nil, 0b1110, false},
	} {
		f := newFetcher(t, 4)
		f.has(m, parts)
		f.trimmed(tt.says...)
		f.ahead = tt.ahead
		f.ticks(1)
		if got := f.asked[1]+f.asked[2]+f.asked[3] > 0; got != tt.want {
			t.Errorf("%v say so of %04b: fetched %t, want %t", tt.says, tt.ahead, got, tt.want)
		}
	}
	f := newFetcher(t, 4)
	f.has(m, parts)
	f.perform(f.Executed(5)) // the ledgers begin at 6
	f.trimmed(1, 2, 3)
	f.ticks(5)
	if f.whole != nil {
		t.Error("a snapshot was fetched although the next batch is there")
	}
}

// Who rests finds out what to fetch, and asks for no part of it before it goes on.
func TestR4_WhoRestsAsksForNoParts(t *testing.T) {
	m, parts := aState(8, 50)
	f := newFetcher(t, 4)
	f.has(m, parts)
	f.trimmed(1, 2, 3)
	f.resting = true
	f.ticks(5)
	if _, total, missing, ok := f.Fetching(); !ok || total != missing || len(f.asked) > 0 {
		t.Errorf("resting it asked %v, and lacks %d of %d", f.asked, missing, total)
	}
	f.resting = false
	f.ticks(1)
	f.complete(m, parts)
}

// All members that have it are asked at once, and what comes is the state.
func TestR4_SeveralServeAtOnce(t *testing.T) {
	m, parts := aState(8, 500)
	f := newFetcher(t, 7)
	f.has(m, parts)
	f.trimmed(1, 2, 3, 4, 5, 6)
	f.perform(f.OnTick(f.usable()))
	for range 50 {
		f.perform(f.Ask(f.usable()))
	}
	f.complete(m, parts)
	// Answers come one after the other here, so ask anew with nobody answering.
	g := newFetcher(t, 7)
	g.has(m, parts)
	for i := range messages.Index(7) {
		g.serve[i] = func(pbft.AskParts, *messages.Chunk) *messages.Chunk { return nil }
	}
	g.trimmed(1, 2, 3, 4, 5, 6)
	g.perform(g.OnTick(g.usable()))
	busy := 0
	for i := range messages.Index(7) {
		if g.asked[i] > 0 {
			busy++
		}
		if g.asked[i] > 2 {
			t.Errorf("member %d has %d requests to answer", i, g.asked[i])
		}
	}
	if busy < 4 {
		t.Errorf("%d members are asked at once", busy)
	}
}

// Whoever sends what is no part is charged and left; nothing of it is kept, and
// the state is whole all the same.
func TestR4_AWrongPartIsFoundAtOnce(t *testing.T) {
	m, parts := aState(8, 40)
	lies := map[string]func(pbft.AskParts, *messages.Chunk) *messages.Chunk{
		"a byte": func(_ pbft.AskParts, c *messages.Chunk) *messages.Chunk {
			c.Parts[0] = append(slices.Clone(c.Parts[0]), 1)
			return c
		},
		"another part": func(_ pbft.AskParts, c *messages.Chunk) *messages.Chunk {
			c.Parts[len(c.Parts)-1] = parts[0]
			if c.First == 0 && len(c.Parts) == 1 {
				c.Parts[0] = parts[4]
			}
			return c
		},
		"more than there is": func(e pbft.AskParts, c *messages.Chunk) *messages.Chunk {
			c.First = uint32(len(parts) - 1)
			c.Parts = [][]byte{parts[len(parts)-1], {1}}
			return c
		},
	}
	for name, lie := range lies {
		f := newFetcher(t, 4)
		f.has(m, parts)
		f.serve[1] = lie
		f.trimmed(1, 2, 3)
		f.ticks(30)
		f.complete(m, parts)
		if !slices.Equal(f.charged, []messages.Index{1}) {
			t.Errorf("%s: charged are %v", name, f.charged)
		}
		if f.asked[1] > 2 {
			t.Errorf("%s: the liar is asked %d times", name, f.asked[1])
		}
	}
}

// Who sends nothing, and who sends what nobody asked for, hold up nobody.
func TestR4_AStalledServerIsLeft(t *testing.T) {
	m, parts := aState(8, 40)
	f := newFetcher(t, 4)
	f.has(m, parts)
	f.serve[1] = func(pbft.AskParts, *messages.Chunk) *messages.Chunk { return nil }
	f.trimmed(1, 2, 3)
	f.ticks(100)
	f.complete(m, parts)
	if len(f.late) == 0 || slices.ContainsFunc(f.late, func(i messages.Index) bool { return i != 1 }) || len(f.charged) != 0 {
		t.Errorf("late are %v, charged %v", f.late, f.charged)
	}
	g := newFetcher(t, 4)
	g.has(m, parts)
	for i := range messages.Index(4) { // all stall for a while
		g.serve[i] = func(pbft.AskParts, *messages.Chunk) *messages.Chunk { return nil }
	}
	g.trimmed(1, 2, 3)
	g.ticks(25)
	clear(g.serve)
	g.ticks(200)
	g.complete(m, parts)
}

// A member that boasts of a newer snapshot and has none does not hold up those who
// have one.
func TestR4_ABoastIsNotWaitedForTwice(t *testing.T) {
	m, parts := aState(8, 40)
	f := newFetcher(t, 4)
	f.has(m, parts)
	f.perform(f.OnRetained(1, &messages.Retained{First: 1 << 40, Snapshot: 1 << 41}))
	f.trimmed(2)
	f.ticks(100)
	f.complete(m, parts)
}

// When the servers have gone on to another snapshot, what is the same in it is
// not fetched again.
func TestR4_ANewerSnapshotKeepsWhatIsTheSame(t *testing.T) {
	m, parts := aState(8, 200)
	f := newFetcher(t, 4)
	f.has(m, parts)
	served := 0
	for i := range messages.Index(4) {
		f.serve[i] = func(_ pbft.AskParts, c *messages.Chunk) *messages.Chunk {
			if served++; served > 2 {
				return nil
			}
			return c
		}
	}
	f.trimmed(1, 2, 3)
	f.perform(f.OnTick(f.usable()))
	kept := len(f.stored)
	if kept == 0 || f.whole != nil {
		t.Fatalf("%d parts are there", kept)
	}
	next, _ := aState(16, 200)
	next.App[7].Parts = pbft.HashParts([]byte("written since"))
	nextParts := slices.Clone(parts)
	nextParts[7+2] = []byte("written since") // behind the bucket of three parts
	clear(f.parts)
	f.has(next, nextParts)
	clear(f.serve)
	before := len(f.stored)
	for i := range messages.Index(4) {
		if i > 0 {
			f.perform(f.OnRetained(i, &messages.Retained{First: 12, Snapshot: 16, Refused: m.Digest()}))
		}
	}
	f.ticks(100)
	f.complete(next, nextParts)
	if total := len(nextParts); before < kept || total == 0 {
		t.Errorf("%d parts of %d were kept", before, total)
	}
}

// An interrupted transfer goes on with what is on disk; one that execution has
// overtaken is thrown away.
func TestR4_AnInterruptedTransferGoesOn(t *testing.T) {
	m, parts := aState(8, 300)
	names, _ := pbft.PartsOf(m)
	have := make(map[pbft.Part]bool)
	f := newFetcher(t, 4)
	f.has(m, parts)
	for i, p := range names[:200] {
		have[p], f.stored[p] = true, string(parts[i])
	}
	f.perform(f.Resume(m, have))
	f.ticks(20)
	f.complete(m, parts)

	g := newFetcher(t, 4)
	g.perform(g.Executed(8))
	g.perform(g.Resume(m, have))
	if g.dropped != 1 {
		t.Error("a transfer of what was executed goes on after a restart")
	}
	h := newFetcher(t, 4)
	h.has(m, parts)
	for i := range messages.Index(4) {
		h.serve[i] = func(pbft.AskParts, *messages.Chunk) *messages.Chunk { return nil }
	}
	h.trimmed(1, 2, 3)
	h.ticks(2)
	h.perform(h.Executed(9))
	if _, _, _, fetching := h.Fetching(); fetching || h.dropped != 1 {
		t.Error("a snapshot is fetched of what was executed")
	}
	h.trimmed(1, 2, 3) // and the next one is
	next, nextParts := aState(16, 5)
	h.has(next, nextParts)
	clear(h.serve)
	h.trimmed(1, 2, 3)
	h.ticks(30)
	h.complete(next, nextParts)
	h.whole = nil
	h.ticks(700) // the word was lost
	h.complete(next, nextParts)
	h.perform(h.Executed(17)) // before it was installed
	if _, _, _, fetching := h.Fetching(); fetching || h.dropped != 2 {
		t.Error("a snapshot that execution has overtaken is waited for")
	}
}

// Of an application whose hashes nobody signs, a state that turns out to be
// another is its manifest's sender's doing, who is not asked again.
func TestR4_AStateThatIsRefusedCostsItsSender(t *testing.T) {
	m, parts := aState(8, 1)
	m.Application = digestOf(5)
	f := newFetcher(t, 4)
	f.has(m, parts)
	f.trimmed(1, 2, 3)
	f.ticks(20)
	f.complete(m, parts)
	f.whole = nil
	f.perform(f.Refused(m.Digest()))
	if len(f.charged) != 1 || f.dropped != 1 {
		t.Fatalf("charged are %v, dropped %d", f.charged, f.dropped)
	}
	liar := f.charged[0]
	before := f.asked[liar]
	f.ticks(20)
	f.complete(m, parts)
	if f.asked[liar] != before {
		t.Error("the sender of a false state is asked again")
	}
}

// Whatever members send, in whatever order, what is stored was asked for and is
// right, and with one honest server the state gets whole.
func TestR4_AnythingGoes(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		m, parts := aState(8, 1+r.IntN(120))
		f := newFetcher(t, 7)
		f.has(m, parts)
		for i := range messages.Index(6) {
			f.serve[i] = func(e pbft.AskParts, c *messages.Chunk) *messages.Chunk {
				switch r.IntN(5) {
				case 0:
					return nil
				case 1:
					c.Parts[r.IntN(len(c.Parts))] = []byte{byte(r.IntN(256))}
				case 2:
					c.First = uint32(r.IntN(2 * len(parts)))
				case 3:
					f.perform(f.OnRetained(i, &messages.Retained{First: messages.Seq(r.IntN(20)), Snapshot: messages.Seq(r.IntN(20)), Refused: e.Manifest}))
					return nil
				}
				return c
			}
		}
		f.trimmed(1, 2, 3, 4, 5, 6)
		for range 2000 {
			if f.whole != nil {
				break
			}
			f.trimmed(6)
			f.perform(f.OnTick(f.usable()))
		}
		if f.whole == nil {
			t.Fatalf("seed %d: %d of %d parts", seed, len(f.stored), len(parts))
		}
		f.complete(m, parts)
		if slices.Contains(f.charged, 6) {
			t.Fatalf("seed %d: the honest server is charged", seed)
		}
	}
}
