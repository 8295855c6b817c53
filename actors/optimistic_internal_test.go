package actors

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// replayed is a replay that is told what a journal holds, one record after another.
type replayed struct {
	*replay
	t      *testing.T
	places uint32 // of records so far
}

func newReplayed(t *testing.T, optimistic bool, low messages.Seq) *replayed {
	t.Helper()
	genesis, _, _ := testKeyring(t, 4)
	genesis.Params.OptimisticMode = optimistic
	return &replayed{replay: newReplay(genesis, low), t: t}
}

func (s *replayed) store(kind messages.RecordKind, seq messages.Seq, data []byte) {
	s.t.Helper()
	s.places++
	at := storage.Place{Segment: 1, Offset: s.places}
	if err := s.visit(1, at, storage.Record{Kind: uint8(kind), Seq: uint64(seq), Data: data}); err != nil {
		s.t.Fatal(err)
	}
}

// says stores a bundle of a member's votes.
func (s *replayed) says(from messages.Index, votes ...messages.Vote) {
	s.t.Helper()
	b := &messages.Bundle{From: from, Votes: votes, Signature: []byte{1}}
	data, err := messages.BundleRecord{Bundle: b}.AppendTo(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.store(messages.RecordBundle, votes[0].Seq, data)
}

// accepts is the vote by which a member accepts a digest in view 0.
func accepts(from messages.Index, seq messages.Seq, digest messages.Digest) messages.Vote {
	v := messages.Vote{Kind: messages.Prepare, Seq: seq, Digest: digest}
	if from == 0 {
		v.Kind = messages.PrePrepare
	}
	return v
}

// A journal decides a sequence again by a quorum's Commits, and on a chain in optimistic
// mode by what all accepted in one view, whichever it got first; by nothing less.
func TestF1_WhatAJournalDecides(t *testing.T) {
	vertices, hashes := testVertices(t, 0, 2)
	batch, other := testBatch(t, vertices[:1], hashes[:1]), testBatch(t, vertices[1:], hashes[1:])
	const seq = 5
	type said struct {
		from messages.Index
		vote messages.Vote
	}
	say := func(digest messages.Digest, view messages.View, members ...messages.Index) (list []said) {
		for _, m := range members {
			v := accepts(m, seq, digest)
			v.View = view
			list = append(list, said{m, v})
		}
		return list
	}
	accept := func(members ...messages.Index) []said { return say(batch.Digest(), 0, members...) }
	commit := func(members ...messages.Index) []said {
		list := accept(members...)
		for i := range list {
			list[i].vote.Kind = messages.Commit
		}
		return list
	}
	twice := accept(1, 1, 2, 3)
	twice[0].vote.Kind = messages.PrePrepare
	for _, c := range []struct {
		name       string
		stored     []said
		plain      string // what decides without the mode
		optimistic string // and with it
	}{
		{"all accepted", accept(0, 1, 2, 3), "", "all"},
		{"in another order", accept(3, 2, 0, 1), "", "all"},
		{"a backup is missing", accept(0, 1, 2), "", ""},
		{"the leader is missing", accept(1, 2, 3), "", ""},
		{"one says it for two", twice, "", ""},
		{"one accepted another", slices.Concat(accept(0, 1, 2), say(other.Digest(), 0, 3)), "", ""},
		{"one accepted it in another view", slices.Concat(accept(0, 1, 2), say(batch.Digest(), 1, 3)), "", ""},
		{"one only committed it", slices.Concat(accept(0, 1, 2), commit(3)), "", ""},
		{"what is not on the disk", say(other.Digest(), 0, 0, 1, 2, 3), "", ""},
		{"a quorum committed", commit(3, 1, 0), "quorum", "quorum"},
		{"too few committed", commit(3, 1), "", ""},
		{"not all accepted, and a quorum committed", slices.Concat(accept(0, 1, 2), commit(3, 1, 0)), "quorum", "quorum"},
		{"too few committed, and all accepted", slices.Concat(commit(3, 1), accept(0, 1, 2, 3)), "", "all"},
		{"all accepted, and a quorum committed", slices.Concat(accept(0, 1, 2, 3), commit(3, 1, 0)), "quorum", "all"},
		{"a quorum committed, and all accepted", slices.Concat(commit(3, 1, 0), accept(0, 1, 2, 3)), "quorum", "quorum"},
	} {
		for optimistic, want := range map[bool]string{false: c.plain, true: c.optimistic} {
			t.Run(fmt.Sprintf("%s/optimistic=%t", c.name, optimistic), func(t *testing.T) {
				s := newReplayed(t, optimistic, seq-1)
				s.store(messages.RecordBatch, seq, batch.Bytes())
				for _, v := range c.stored {
					s.says(v.from, v.vote)
				}
				d, entry, ok := s.decided(seq)
				if ok != (want != "") {
					t.Fatalf("decided: %t, want it by %q", ok, want)
				}
				if !ok {
					return
				}
				need, kinds := 3, []messages.Kind{messages.Commit}
				if want == "all" {
					need, kinds = 4, []messages.Kind{messages.PrePrepare, messages.Prepare}
				}
				if k := d.commit; k.Unanimous != (want == "all") || k.Seq != seq || k.View != 0 || k.Digest != batch.Digest() || d.batch.Digest() != batch.Digest() {
					t.Errorf("decided is %+v", k)
				}
				checkCertificate(t, d.commit.Bundles, need, kinds...)
				if len(entry.Certificate) != need || entry.Seq != seq || entry.Digest != batch.Digest() || entry.Batch.Offset != 1 {
					t.Errorf("the ledger is told %+v", entry)
				}
				for i, at := range entry.Certificate {
					if got := c.stored[at.Offset-2]; got.from != d.commit.Bundles[i].From {
						t.Errorf("the bundle of member %d is said to lie where member %d's does", d.commit.Bundles[i].From, got.from)
					}
				}
			})
		}
	}
}

// checkCertificate wants bundles of so many members, each with a vote of these kinds.
func checkCertificate(t *testing.T, bundles []*messages.Bundle, need int, kinds ...messages.Kind) {
	t.Helper()
	members := make(map[messages.Index]bool)
	for _, b := range bundles {
		if !slices.Contains(kinds, b.Votes[0].Kind) {
			t.Errorf("in the certificate is %v of member %d", b.Votes[0], b.From)
		}
		members[b.From] = true
	}
	if len(bundles) != need || len(members) != need {
		t.Errorf("%d bundles of %d members certify it, not %d", len(bundles), len(members), need)
	}
}

// One bundle may say of many sequences what its member did there. What is at or below
// the stable checkpoint is past.
func TestF1_AJournalCountsEveryVoteOfABundle(t *testing.T) {
	vertices, hashes := testVertices(t, 0, 1)
	batch := testBatch(t, vertices, hashes)
	s := newReplayed(t, true, 4)
	s.store(messages.RecordBatch, 5, batch.Bytes())
	for m := range messages.Index(4) {
		s.says(m, accepts(m, 4, batch.Digest()), accepts(m, 5, batch.Digest()), accepts(m, 6, messages.NullDigest))
	}
	for seq, want := range map[messages.Seq]bool{4: false, 5: true, 6: true, 7: false} {
		d, _, ok := s.decided(seq)
		if ok != want {
			t.Errorf("sequence %d is decided: %t", seq, ok)
		}
		if ok && (d.batch == nil) != (seq == 6) {
			t.Errorf("sequence %d has the batch %v", seq, d.batch)
		}
	}
}

// Until a sequence is decided each Prepare may be the one that decides it, prepared or
// not; on other chains a quorum of them is enough. Once all accepted it, Commits are
// needed still, for whoever sends one may need another; once it is committed, none is.
func TestF1_WhichVotesAreNeeded(t *testing.T) {
	d, other := messages.Digest{1}, messages.Digest{2}
	const prepare, commit = messages.Prepare, messages.Commit
	for name, c := range map[string]struct {
		optimistic bool
		unanimous  bool
		prepared   []messages.Kind // needed of d when it is prepared
		decided    []messages.Kind // and when it is decided
	}{
		"plain":       {false, false, []messages.Kind{commit}, nil},
		"by a quorum": {true, false, []messages.Kind{prepare, commit}, nil},
		"by all":      {true, true, []messages.Kind{prepare, commit}, []messages.Kind{commit}},
	} {
		genesis, _, _ := testKeyring(t, 4)
		genesis.Params.OptimisticMode = c.optimistic
		tree := &Tree{n: 4, quorum: 3, cfg: Config{
			Genesis: genesis, Clock: runtime.NewVirtual(time.Unix(0, 0)), Metrics: metrics.New(metrics.Options{Members: 4}),
		}}
		tracker := newPhaseTracker(tree, 7, 1)
		check := func(when string, want []messages.Kind) {
			t.Helper()
			for _, kind := range []messages.Kind{prepare, commit} {
				vote := messages.Vote{Kind: kind, View: 3, Seq: 7, Digest: d}
				if got := tree.quorums.need([]messages.Vote{vote}); got != slices.Contains(want, kind) {
					t.Errorf("%s, %s: a %v is needed: %t", name, when, kind, got)
				}
				vote.Digest = other
				if !tree.quorums.need([]messages.Vote{vote}) {
					t.Errorf("%s, %s: a %v for another digest, a lie perhaps, is let go", name, when, kind)
				}
			}
		}
		tracker.perform(&heard{}, pbft.ProposeVote{Vote: messages.Vote{Kind: commit, View: 3, Seq: 7, Digest: d}})
		check("prepared", c.prepared)
		tracker.perform(&heard{}, pbft.Committed{View: 3, Seq: 7, Digest: d, Unanimous: c.unanimous})
		check("decided", c.decided)
	}
}
