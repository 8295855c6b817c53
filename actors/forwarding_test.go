package actors

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

func addOwn(t *testing.T, p *Pool, vertices [][]byte, hashes []messages.Digest) {
	t.Helper()
	if n, err := p.Add(p.Reserve(len(vertices)), vertices, hashes, nil, NewWaiter(len(vertices)), 0); err != nil || n != len(vertices) {
		t.Fatalf("took %d of %d, %v", n, len(vertices), err)
	}
}

func testBatch(t testing.TB, vertices [][]byte, hashes []messages.Digest) *messages.Batch {
	t.Helper()
	b, err := messages.BuildBatch(vertices, hashes, messages.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A new leader proposes what it had forwarded to the one before, but not what
// its NewView lists: that is on its way.
func TestPoolOfANewLeader(t *testing.T) {
	p, clock := testPool(t)
	vertices, hashes := testVertices(t, 0, 3)
	addOwn(t, p, vertices, hashes)
	if sent := p.Forward(1<<20, clock.Now()).Vertices; len(sent) == 0 {
		t.Fatal("nothing was forwarded")
	}
	p.Enter(true, []*messages.Batch{testBatch(t, vertices[1:2], hashes[1:2])})
	cut, _, _ := p.Cut(8, 1<<20)
	if !slices.EqualFunc(cut, [][]byte{vertices[0], vertices[2]}, bytes.Equal) {
		t.Errorf("%d vertices to propose, want the first and the third, in this order", len(cut))
	}
}

// A leader that is replaced passes its own vertices on to the next one, those
// it had proposed in vain too, and forgets those of others: they have them.
func TestPoolOfAReplacedLeader(t *testing.T) {
	p, clock := testPool(t)
	p.Enter(true, nil)
	vertices, hashes := testVertices(t, 0, 2)
	addOwn(t, p, vertices, hashes)
	others, otherHashes := testVertices(t, 10, 2)
	p.AddForwarded(2, &messages.Forward{}, others, otherHashes, nil)
	p.Cut(1, 1<<20)
	p.Leave()
	p.Enter(false, nil)
	if got := p.Forward(1<<20, clock.Now()).Vertices; !bytes.Equal(got, bytes.Join(vertices, nil)) {
		t.Errorf("forwarded %d bytes, want both own vertices", len(got))
	}
	if p.Len() != 2 {
		t.Errorf("the pool holds %d vertices, want the own two", p.Len())
	}
}

// A vertex the leader does not order goes to everybody when half of the timeout is
// over, and again after a whole one; in the next view it is timed anew.
func TestPoolSharesWhatTheLeaderLeavesAside(t *testing.T) {
	p, clock := testPool(t)
	vertices, hashes := testVertices(t, 0, 1)
	addOwn(t, p, vertices, hashes)
	share := func() []byte {
		return p.Share(1<<20, clock.Now().Add(-time.Second), clock.Now().Add(-2*time.Second)).Vertices
	}
	p.Forward(1<<20, clock.Now().Add(-time.Hour))
	if got := share(); len(got) != 0 {
		t.Error("shared at once")
	}
	clock.Advance(time.Second)
	if got := share(); !bytes.Equal(got, vertices[0]) {
		t.Errorf("shared %d bytes after the time", len(got))
	}
	if got := share(); len(got) != 0 {
		t.Error("shared twice at once")
	}
	clock.Advance(2 * time.Second)
	if got := share(); len(got) == 0 {
		t.Error("not shared again, though it may have been lost")
	}
	p.Enter(false, nil)
	if age := p.Oldest(); age != 0 {
		t.Errorf("a new leader answers for %v under the one before", age)
	}
	p.Forward(1<<20, clock.Now().Add(-time.Hour))
	clock.Advance(time.Second)
	if got := share(); len(got) == 0 {
		t.Error("not shared in the next view")
	}
}

// What is told to everybody is bounded, oldest first, and the rest follows: a
// cluster that is merely busy would else be busier for it.
func TestPoolSharesTheOldestFirst(t *testing.T) {
	p, clock := testPool(t)
	vertices, hashes := testVertices(t, 0, 2)
	addOwn(t, p, vertices, hashes)
	p.Forward(1<<20, clock.Now().Add(-time.Hour))
	clock.Advance(time.Second)
	for _, want := range vertices { // one at a time, though it is larger than asked for
		if got := p.Share(len(want)-1, clock.Now(), clock.Now().Add(-time.Second)).Vertices; !bytes.Equal(got, want) {
			t.Errorf("shared %d bytes, want the %d of the oldest", len(got), len(want))
		}
	}
	if got := p.Share(1<<20, clock.Now(), clock.Now().Add(-time.Second)).Vertices; len(got) > 0 {
		t.Error("shared again")
	}
}

// The leader times what it has proposed itself: with a quorum out of reach in its
// view, nobody else may know that somebody waits.
func TestL4_ALeaderAnswersForItsOwnVertices(t *testing.T) {
	p, clock := testPool(t)
	p.Enter(true, nil)
	vertices, hashes := testVertices(t, 0, 2)
	addOwn(t, p, vertices, hashes)
	cut, cutHashes, _ := p.Cut(1, 1<<20)
	clock.Advance(time.Second)
	if age := p.Oldest(); age != time.Second {
		t.Errorf("a vertex proposed here is timed as %v", age)
	}
	p.Executed(testBatch(t, cut, cutHashes), Receipt{Seq: 1}, []pbft.Outcome{pbft.Fresh}, make([]Operation, 1), func(time.Duration, int) {})
	if age := p.Oldest(); age != 0 {
		t.Errorf("with that one executed, another that was not proposed yet is timed as %v", age)
	}
}

// Who learns a vertex from its origin's broadcast passes it on and judges the
// leader after another half of the timeout; it does not broadcast it again.
func TestL4_ABroadcastVertexIsPassedOnAndTimed(t *testing.T) {
	p, clock := testPool(t)
	p.Enter(false, nil)
	vertices, hashes := testVertices(t, 0, 1)
	p.AddForwarded(3, &messages.Forward{}, vertices, hashes, nil)
	if got := p.Forward(1<<20, clock.Now().Add(-time.Hour)).Vertices; !bytes.Equal(got, vertices[0]) {
		t.Errorf("passed on %d bytes", len(got))
	}
	clock.Advance(time.Second)
	if age := p.Oldest(); age != 2*time.Second {
		t.Errorf("it is timed as %v: it waited as long at its origin", age)
	}
	if got := p.Share(1<<20, clock.Now(), clock.Now()).Vertices; len(got) != 0 {
		t.Error("it was broadcast again")
	}
	p.Enter(false, nil)
	if p.Len() != 1 {
		t.Error("it was forgotten with the view: the next leader may starve the caller as well")
	}
}

// A replica that left its view alone tells everybody of its vertices, again and
// again: it has no leader, and the others have. It does not of what others sent.
func TestPoolAppealsWhileBetweenViews(t *testing.T) {
	p, clock := testPool(t)
	vertices, hashes := testVertices(t, 0, 2)
	addOwn(t, p, vertices, hashes)
	others, otherHashes := testVertices(t, 10, 1)
	p.AddForwarded(2, &messages.Forward{}, others, otherHashes, nil)
	p.Forward(len(vertices[0]), clock.Now()) // the first was with the leader
	p.Leave()
	appeal := func() []byte { return p.Appeal(1<<20, clock.Now().Add(-time.Second)).Vertices }
	if got := appeal(); len(got) != 0 {
		t.Error("appealed at once")
	}
	for round := range 2 {
		clock.Advance(time.Second)
		if got := appeal(); !bytes.Equal(got, bytes.Join(vertices, nil)) {
			t.Errorf("round %d: %d bytes, want both own vertices", round, len(got))
		}
		if got := appeal(); len(got) != 0 {
			t.Errorf("round %d: appealed twice at a time", round)
		}
	}
}
