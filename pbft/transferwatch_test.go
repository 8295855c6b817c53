package pbft_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// distant is member 0 of four, whose questions are answered later.
type distant struct {
	*pbft.Transfer
	usable    pbft.Usable
	tick      int
	queue     []arrival
	manifests []messages.Index // whom it asked for one
	parts     []messages.Index // whom it asked for parts
	stored    int
	charged   []messages.Index
	whole     *messages.Manifest
	manifest  func(pbft.AskManifest)
	part      func(pbft.AskParts)
}

type arrival struct {
	at int
	do func() []pbft.TransferEffect
}

func newDistant() *distant {
	return &distant{Transfer: pbft.NewTransfer(0, 4), usable: pbft.Usable{Ahead: 0b1110}}
}

// in has something arrive after so many ticks.
func (d *distant) in(ticks int, do func() []pbft.TransferEffect) {
	d.queue = append(d.queue, arrival{d.tick + ticks, do})
}

func (d *distant) retained(delay int, from messages.Index, m *messages.Retained) {
	d.in(delay, func() []pbft.TransferEffect { return d.OnRetained(from, m) })
}

func (d *distant) perform(effects []pbft.TransferEffect) {
	for _, e := range effects {
		switch e := e.(type) {
		case pbft.AskManifest:
			d.manifests = append(d.manifests, e.To)
			d.manifest(e)
		case pbft.AskParts:
			d.parts = append(d.parts, e.To)
			d.part(e)
		case pbft.StorePart:
			d.stored++
		case pbft.SentWrongPart:
			d.charged = append(d.charged, e.From)
		case pbft.FinishTransfer:
			d.whole = e.Manifest
		}
	}
}

// run lets time pass until the state is whole, for so many ticks at most.
func (d *distant) run(ticks int) {
	for end := d.tick + ticks; d.tick < end && d.whole == nil; d.tick++ {
		for i := 0; i < len(d.queue); {
			if d.queue[i].at > d.tick {
				i++
				continue
			}
			do := d.queue[i].do
			d.queue = slices.Delete(d.queue, i, i+1)
			d.perform(do())
			d.perform(d.Ask(d.usable))
		}
		d.perform(d.OnTick(d.usable))
	}
}

// trimmed has members say that they no longer have sequence 1.
func (d *distant) trimmed(snapshot messages.Seq, members ...messages.Index) {
	for _, m := range members {
		d.perform(d.OnRetained(m, &messages.Retained{First: 7, Snapshot: snapshot}))
	}
}

// serves is a chunk with at most so many parts.
func serves(e pbft.AskParts, parts [][]byte, most int) *messages.Chunk {
	return &messages.Chunk{Manifest: e.Manifest, First: uint32(e.First), Parts: parts[e.First : e.First+min(most, e.Count)]}
}

// aPiece is a state in one piece, of so many parts.
func aPiece(seq messages.Seq, content string, count int) (*messages.Manifest, [][]byte) {
	var parts [][]byte
	var hashes []messages.Digest
	for i := range count {
		p := fmt.Appendf(nil, "%s %d", content, i)
		parts, hashes = append(parts, p), append(hashes, pbft.HashPart(p))
	}
	return &messages.Manifest{
		Seq: seq, Head: digestOf(1), Certificate: []*messages.Bundle{{}}, Application: digestOf(5), App: []messages.BucketParts{{Parts: hashes}},
	}, parts
}

// Who answers a request for its manifest with another boast is asked again when all
// others were: at the first, and when all of them have failed as well.
func TestR4_ABoasterIsNotAskedTwiceInARow(t *testing.T) {
	d := newDistant()
	boast := messages.Seq(1 << 40)
	d.manifest = func(e pbft.AskManifest) {
		if e.To == 1 {
			boast++
			d.retained(1, 1, &messages.Retained{First: 1 << 40, Snapshot: boast})
		}
	}
	d.trimmed(boast, 1)
	d.trimmed(8, 2)
	d.trimmed(16, 3)
	d.run(1000)
	if len(d.manifests) < 9 {
		t.Fatalf("asked are %v", d.manifests)
	}
	for i := range d.manifests[2:] {
		if three := slices.Sorted(slices.Values(d.manifests[i : i+3])); !slices.Equal(three, []messages.Index{1, 2, 3}) {
			t.Fatalf("asked are %v: not everybody before one is asked again", d.manifests)
		}
	}
}

// A member that has another snapshot by now is asked for that one, when its turn
// comes again.
func TestR4_WhoMovedOnIsAskedAgain(t *testing.T) {
	m, parts := aState(16, 40)
	d := newDistant()
	d.manifest = func(e pbft.AskManifest) {
		if e.Seq == 16 && e.To != 1 {
			d.in(1, func() []pbft.TransferEffect { return d.OnManifest(e.To, m) })
			return
		}
		newest := messages.Seq(16)
		if e.To == 1 {
			newest = e.Seq + 1
		}
		d.retained(1, e.To, &messages.Retained{First: 12, Snapshot: newest})
	}
	d.part = func(e pbft.AskParts) {
		d.in(1, func() []pbft.TransferEffect { return d.OnChunk(e.To, serves(e, parts, 1)) })
	}
	d.trimmed(8, 1, 2, 3)
	d.run(100)
	if d.whole == nil || len(d.manifests) > 5 {
		t.Errorf("whole is %v, asked were %v", d.whole, d.manifests)
	}
}

// However slow the network is, within bounds, answers are waited for long enough in
// the end, and a manifest that arrives is not fetched again and again.
func TestR4_ASlowNetworkIsWaitedFor(t *testing.T) {
	for _, delay := range []int{5, 19, 21, 30, 50, 60, 90, 120, 300} {
		m, parts := aState(8, 40)
		d := newDistant()
		d.manifest = func(e pbft.AskManifest) {
			d.in(delay, func() []pbft.TransferEffect { return d.OnManifest(e.To, m) })
		}
		asked := 0
		d.part = func(e pbft.AskParts) {
			asked += e.Count
			d.in(delay, func() []pbft.TransferEffect { return d.OnChunk(e.To, serves(e, parts, 4)) })
		}
		d.trimmed(8, 1, 2, 3)
		d.run(20 * (delay + 10))
		if d.whole == nil || len(d.charged) > 0 {
			t.Errorf("answers after %d ticks: %d of %d parts after %d ticks, %d manifests were asked for", delay, d.stored, len(parts), d.tick, len(d.manifests))
		}
		if asked > 4*len(parts) {
			t.Errorf("answers after %d ticks: %d parts were asked for, of %d", delay, asked, len(parts))
		}
	}
}

// A member that alone has what its manifest lists, and sends a part now and then,
// holds nobody up: neither where the others have refused the manifest nor where
// theirs is older, nor where they say nothing at all.
func TestR4_WhoSendsADripIsLeft(t *testing.T) {
	for _, tt := range []struct {
		name    string
		says    messages.Seq
		every   int // ticks
		refuses bool
		within  int
	}{{"all others refuse", 8, 10, true, 60}, {"all others have an older one", 16, 59, true, 150}, {"all others are silent", 8, 59, false, 150}} {
		lie, lies := aPiece(tt.says, "made up", 300)
		truth, parts := aPiece(8, "the state", 50)
		d := newDistant()
		d.manifest = func(e pbft.AskManifest) {
			m := truth
			if e.To == 1 {
				m = lie
			}
			d.in(1, func() []pbft.TransferEffect { return d.OnManifest(e.To, m) })
		}
		next := 0
		d.part = func(e pbft.AskParts) {
			switch {
			case e.Manifest == truth.Digest():
				if e.To != 1 {
					d.in(1, func() []pbft.TransferEffect { return d.OnChunk(e.To, serves(e, parts, 8)) })
				}
			case e.To == 1:
				next = max(next, d.tick) + tt.every
				d.in(next-d.tick, func() []pbft.TransferEffect { return d.OnChunk(1, serves(e, lies, 1)) })
			case tt.refuses:
				d.retained(1, e.To, &messages.Retained{First: 7, Snapshot: 8, Refused: e.Manifest})
			}
		}
		d.trimmed(8, 2)
		if tt.says == 8 {
			d.trimmed(8, 3)
		}
		d.trimmed(tt.says, 1)
		d.run(tt.within)
		if d.manifests[0] != 1 {
			t.Fatalf("the liar is not asked first, but %v", d.manifests)
		}
		if d.whole == nil || d.whole.Digest() != truth.Digest() {
			t.Errorf("%s: after %d ticks %d parts are there, asked for manifests were %v", tt.name, d.tick, d.stored, d.manifests)
		}
	}
}

// Once a liar is found, the one that is left beside those that refused is correct, and
// nothing else is looked for.
func TestR4_WhoIsLeftBesideAFoundLiarIsReliedOn(t *testing.T) {
	m, parts := aPiece(8, "the state", 100)
	d := newDistant()
	d.manifest = func(e pbft.AskManifest) {
		d.in(1, func() []pbft.TransferEffect { return d.OnManifest(e.To, m) })
	}
	d.part = func(e pbft.AskParts) {
		switch e.To {
		case 1:
			d.in(1, func() []pbft.TransferEffect {
				return d.OnChunk(1, &messages.Chunk{Manifest: e.Manifest, First: uint32(e.First), Parts: [][]byte{{1}}})
			})
		case 2:
			d.in(9, func() []pbft.TransferEffect { return d.OnChunk(2, serves(e, parts, 4)) })
		case 3:
			d.retained(2, 3, &messages.Retained{First: 7, Snapshot: 8, Refused: e.Manifest})
		}
	}
	d.trimmed(8, 1, 2, 3)
	d.run(400)
	if d.whole == nil || !slices.Equal(d.charged, []messages.Index{1}) || len(d.manifests) != 1 {
		t.Errorf("%d of %d parts, charged are %v, asked for manifests %v", d.stored, len(parts), d.charged, d.manifests)
	}
}

// One honest server, as slow as may be and with parts as large as may be, is fast
// enough: what it has is fetched, and nothing else looked for.
func TestR4_OneSlowServerIsFastEnough(t *testing.T) {
	m, parts := aPiece(8, "large", 100)
	d := newDistant()
	d.usable.Ahead = 0b0010
	d.manifest = func(e pbft.AskManifest) {
		d.in(19, func() []pbft.TransferEffect { return d.OnManifest(e.To, m) })
	}
	d.part = func(e pbft.AskParts) {
		d.in(19, func() []pbft.TransferEffect { return d.OnChunk(e.To, serves(e, parts, 1)) })
	}
	d.trimmed(8, 1)
	d.run(2000)
	if d.whole == nil || len(d.manifests) != 1 {
		t.Errorf("%d of %d parts after %d ticks, %d manifests were asked for", d.stored, len(parts), d.tick, len(d.manifests))
	}
}

// A state is handed over once, and what is said of another manifest than the present
// one costs nobody anything: neither while the present one is fetched nor when it is
// whole.
func TestR4_ARefusalOfAnotherManifestChargesNobody(t *testing.T) {
	lie, lies := aPiece(8, "made up", 3)
	truth, parts := aPiece(8, "the state", 3)
	d := newDistant()
	serving := true
	d.manifest = func(e pbft.AskManifest) {
		m := truth
		if e.To == 1 {
			m = lie
		}
		d.in(1, func() []pbft.TransferEffect { return d.OnManifest(e.To, m) })
	}
	d.part = func(e pbft.AskParts) {
		switch {
		case e.Manifest == lie.Digest() && e.To == 1:
			d.in(1, func() []pbft.TransferEffect { return d.OnChunk(1, serves(e, lies, 3)) })
		case e.Manifest == truth.Digest() && serving:
			d.in(1, func() []pbft.TransferEffect { return d.OnChunk(e.To, serves(e, parts, 3)) })
		}
	}
	d.trimmed(8, 1, 2, 3)
	d.run(100)
	if d.whole == nil || d.whole.Digest() != lie.Digest() {
		t.Fatalf("fetched is %v", d.whole)
	}
	d.whole = nil
	if d.run(500); d.whole != nil { // it takes the executor that long
		t.Error("a state is handed over again while it may well be in hand")
	}
	serving = false
	d.perform(d.Refused(lie.Digest()))
	d.run(5)
	d.perform(d.Refused(lie.Digest()))
	if _, _, missing, ok := d.Fetching(); !ok || missing != 3 {
		t.Error("the next state is not fetched any more")
	}
	serving = true
	d.run(100)
	if d.whole == nil || d.whole.Digest() != truth.Digest() {
		t.Fatalf("fetched is %v", d.whole)
	}
	d.perform(d.Refused(lie.Digest()))
	if _, _, _, ok := d.Fetching(); !ok || !slices.Equal(d.charged, []messages.Index{1}) {
		t.Errorf("the next state is waited for: %t, charged are %v", ok, d.charged)
	}
	d.whole = nil
	d.perform(d.Installed(4)) // of an older one, again: the executor panicked
	if d.whole == nil || d.whole.Digest() != truth.Digest() {
		t.Error("after a panic the state is not handed over again")
	}
	d.perform(d.Installed(8))
	if _, _, _, ok := d.Fetching(); ok {
		t.Error("a state that is in force is still fetched")
	}
}

// Those whose snapshots were older, when they last spoke of them, are asked as well
// after a while: one that was ahead of them need not serve all of it.
func TestR4_OthersAreAskedOnceTheyHaveIt(t *testing.T) {
	m, parts := aPiece(16, "new", 400)
	d := newDistant()
	d.manifest = func(e pbft.AskManifest) {
		if e.Seq == 16 {
			d.in(1, func() []pbft.TransferEffect { return d.OnManifest(e.To, m) })
		}
	}
	d.part = func(e pbft.AskParts) {
		delay, most := 1, 8
		if e.To == 1 {
			delay, most = 19, 1
		}
		d.in(delay, func() []pbft.TransferEffect { return d.OnChunk(e.To, serves(e, parts, most)) })
	}
	d.trimmed(16, 1)
	d.trimmed(8, 2)
	d.run(200)
	if d.whole == nil || !slices.Contains(d.parts, 2) {
		t.Errorf("%d of %d parts after %d ticks", d.stored, len(parts), d.tick)
	}
}

// Whoever was told that a state is whole, and has lost the word, is told again; while
// parts are missing there is nothing to tell.
func TestR4_AStateIsHandedOverAgain(t *testing.T) {
	m, parts := aState(8, 5)
	f := newFetcher(t, 4)
	f.has(m, parts)
	if again := f.HandOverAgain(); len(again) != 0 {
		t.Errorf("without a state, %v", again)
	}
	f.trimmed(1, 2, 3)
	f.ticks(3)
	f.complete(m, parts)
	if again := f.HandOverAgain(); len(again) != 1 || again[0].(pbft.FinishTransfer).Manifest != m {
		t.Errorf("asked to, it says %v", again)
	}
}
