package pbft_test

import (
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// granting is a vote with the record it needs.
func granting(vote messages.Vote) pbft.Grant {
	return pbft.Grant{Vote: vote, Records: []pbft.Record{{Kind: pbft.RecordVote, Vote: vote}}}
}

func TestD1_WhatWaitsIsTheNextGroup(t *testing.T) {
	var g pbft.Gatherer
	a, b, c := granting(prepare(1, digestOf(1))), granting(commit(1, digestOf(1))), granting(prepare(2, digestOf(2)))
	g.Add(a)
	first, ok := g.Next()
	if !ok || !slices.Equal(first.Records, a.Records) {
		t.Fatalf("first group %v %v", ok, first)
	}
	g.Add(b)
	g.Add(c)
	if second, ok := g.Next(); ok {
		t.Fatalf("a second group in flight: %v", second)
	}
	g.Released()
	second, ok := g.Next()
	if !ok || len(second.Bundles) != 1 || !slices.Equal(second.Bundles[0], []messages.Vote{b.Vote, c.Vote}) {
		t.Errorf("what waited is %v %v, want one bundle of both", ok, second)
	}
	if want := slices.Concat(b.Records, c.Records); !slices.Equal(second.Records, want) || second.Number != first.Number+1 {
		t.Errorf("group %d records %v, want group %d with %v", second.Number, second.Records, first.Number+1, want)
	}
	g.Released()
	if empty, ok := g.Next(); ok {
		t.Errorf("a group of nothing: %v", empty)
	}
}

// Records no vote waits for do not cost a flush; they leave before the next
// vote, which may depend on them.
func TestD1_RecordsAloneStartNoFlush(t *testing.T) {
	var g pbft.Gatherer
	early := pbft.Record{Kind: pbft.RecordAccepted, Vote: prePrepare(1, digestOf(1))}
	g.Remember([]pbft.Record{early})
	if group, ok := g.Next(); ok {
		t.Fatalf("a flush for nobody: %v", group)
	}
	vote := granting(prepare(2, digestOf(2)))
	g.Add(vote)
	group, _ := g.Next()
	if want := append([]pbft.Record{early}, vote.Records...); !slices.Equal(group.Records, want) {
		t.Errorf("recorded %v, want %v", group.Records, want)
	}
}

func TestD1_BundlesAreBoundedAndCheckpointsApart(t *testing.T) {
	var g pbft.Gatherer
	var want []messages.Vote
	const phases = 2*messages.BundleVotesMax + 1
	for i := range messages.Seq(phases) {
		if i%50 == 0 {
			g.Add(granting(checkpoint(4*(i+1), digestOf(7))))
		}
		vote := commit(i+1, digestOf(uint64(i)))
		g.Add(granting(vote))
		want = append(want, vote)
	}
	group, _ := g.Next()
	var got []messages.Vote
	checkpoints := 0
	for _, bundle := range group.Bundles {
		if len(bundle) == 0 || len(bundle) > messages.BundleVotesMax {
			t.Errorf("a bundle of %d votes", len(bundle))
		}
		if bundle[0].Kind == messages.Checkpoint {
			if checkpoints++; len(bundle) != 1 {
				t.Errorf("a Checkpoint shares its bundle: %v", bundle)
			}
			continue
		}
		got = append(got, bundle...)
	}
	if checkpoints != 3 || len(group.Bundles) != 3+3 || !slices.Equal(got, want) {
		t.Errorf("%d bundles, %d of Checkpoints, %d votes; want 6, 3, %d", len(group.Bundles), checkpoints, len(got), phases)
	}
	// A bundle that grows must not write into its neighbour.
	if first := group.Bundles[0]; cap(first) != len(first) {
		t.Error("bundles share their room")
	}
}
