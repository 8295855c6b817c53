package actors

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// testPool is a pool of member 1 of 4 that holds 8 vertices, 4 of each other
// member, on a clock that stands.
func testPool(t *testing.T) (*Pool, *runtime.Virtual) {
	t.Helper()
	clock := runtime.NewVirtual(time.Unix(0, 0))
	return newPool(4, 1, 8, 1, clock, func() {}), clock
}

func testVertices(t testing.TB, from, n int) (encoded [][]byte, hashes []messages.Digest) {
	t.Helper()
	for i := range n {
		v := messages.Vertex{Payload: []byte{byte(from + i)}, Creator: [32]byte{9}, Nonce: uint64(from + i), Expires: 1000}
		b, err := v.Encode()
		if err != nil {
			t.Fatal(err)
		}
		encoded, hashes = append(encoded, b), append(hashes, messages.HashVertex(b))
	}
	return encoded, hashes
}

func TestPoolTakesUpToItsLimitAndSaysSo(t *testing.T) {
	p, _ := testPool(t)
	vertices, hashes := testVertices(t, 0, 10)
	w := NewWaiter(10)
	if n, err := p.Add(p.Reserve(len(vertices)), vertices, hashes, nil, w, 0); n != 8 || err != nil {
		t.Fatalf("took %d of 10, %v; it has room for 8", n, err)
	}
	if n, err := p.Add(p.Reserve(len(vertices[8:])), vertices[8:], hashes[8:], nil, w, 8); n != 0 || err != nil {
		t.Errorf("took %d more into a full pool, %v", n, err)
	}
	// What is there already takes no room: its second caller waits, too.
	if n, err := p.Add(p.Reserve(len(vertices[:1])), vertices[:1], hashes[:1], nil, NewWaiter(1), 0); n != 1 || err != nil {
		t.Errorf("took %d of a vertex that is there, %v", n, err)
	}
	waits := p.seek(2)
	cut, cutHashes, _ := p.Cut(3, 1<<20)
	batch, err := messages.BuildBatch(cut, cutHashes, messages.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	p.Executed(batch, Receipt{Seq: 4}, make([]pbft.Outcome, 3), make([]Operation, 3), func(time.Duration, int) {})
	select {
	case <-waits.ready:
	default:
		t.Fatal("nobody was told that there is room")
	}
	if n, _ := p.Add(waits.room, vertices[8:], hashes[8:], nil, w, 8); n != 2 {
		t.Errorf("took %d of 2 after 3 left", n)
	}
	if w.Receipts[2].Seq != 4 || w.Receipts[2].Position != 2 || w.Receipts[2].Vertex != hashes[2] || w.missing != 7 {
		t.Errorf("receipts %+v, %d missing", w.Receipts[:3], w.missing)
	}
}

// Room is promised to one caller at a time, and what it did not need to the next.
func TestPoolPromisesRoomOnce(t *testing.T) {
	p, _ := testPool(t)
	vertices, hashes := testVertices(t, 0, 10)
	if got := [...]int{p.Reserve(5), p.Reserve(5), p.Reserve(1)}; got != [...]int{5, 3, 0} {
		t.Fatalf("of room for 8, %v is promised to those who want 5, 5 and 1", got)
	}
	if n, err := p.Add(5, vertices[:5], hashes[:5], nil, NewWaiter(5), 0); n != 5 || err != nil {
		t.Fatalf("took %d of 5, %v", n, err)
	}
	waits := p.seek(10)
	if n, err := p.Add(3, vertices[4:6], hashes[4:6], nil, NewWaiter(2), 0); n != 2 || err != nil {
		t.Fatalf("took %d of 2, %v", n, err)
	}
	if waits.room != 2 {
		t.Errorf("beside 6 of 8 there is room for %d", waits.room)
	}
}

// Who waits for room gets it in the order of asking, woken once: not whoever comes
// at the right moment.
func TestPoolGivesRoomInTheOrderOfAsking(t *testing.T) {
	p, _ := testPool(t)
	vertices, hashes := testVertices(t, 0, 12)
	if n, err := p.Add(p.Reserve(8), vertices[:8], hashes[:8], nil, NewWaiter(8), 0); n != 8 || err != nil {
		t.Fatalf("took %d of 8, %v", n, err)
	}
	list := []*seeker{p.seek(2), p.seek(5), p.seek(1)}
	ended, end := context.WithCancelCause(t.Context())
	end(errors.New("no more patience"))
	if n, err := p.AwaitRoom(ended, 4); n != 0 || !errors.Is(err, context.Cause(ended)) {
		t.Errorf("who has no time got room for %d, %v", n, err)
	}
	rooms := func() (r [3]int) {
		for i, s := range list {
			r[i] = s.room
		}
		return r
	}
	for _, step := range []struct {
		leave, late int
		want        [3]int
	}{{1, 0, [3]int{1}}, {3, 0, [3]int{1, 3}}, {0, 0, [3]int{1, 3}}, {4, 3, [3]int{1, 3, 1}}} {
		if n := p.Reserve(1); n != 0 {
			t.Errorf("who does not wait is served before those who do")
		}
		if step.leave > 0 {
			cut, cutHashes, _ := p.Cut(step.leave, 1<<20)
			batch := testBatch(t, cut, cutHashes)
			p.Executed(batch, Receipt{Seq: 4}, make([]pbft.Outcome, step.leave), make([]Operation, step.leave), func(time.Duration, int) {})
		}
		if got := rooms(); got != step.want {
			t.Errorf("after %d left there is room for %v, not %v", step.leave, got, step.want)
		}
		if n := p.Reserve(10); n != step.late {
			t.Errorf("and then for %d more, not %d", n, step.late)
		}
	}
}

func TestPoolKeepsAQuotaOfEachOtherMember(t *testing.T) {
	p, _ := testPool(t)
	vertices, hashes := testVertices(t, 0, 5)
	if _, dropped := p.AddForwarded(0, &messages.Forward{}, vertices, hashes, nil); dropped != 1 {
		t.Errorf("dropped %d of member 0's 5, twice its quota is 4", dropped)
	}
	more, moreHashes := testVertices(t, 10, 2)
	if _, dropped := p.AddForwarded(2, &messages.Forward{}, more, moreHashes, nil); dropped != 0 {
		t.Errorf("member 0 filled member 2's quota: %d dropped", dropped)
	}
	own, ownHashes := testVertices(t, 20, 8)
	if n, _ := p.Add(p.Reserve(len(own)), own, ownHashes, nil, NewWaiter(8), 0); n != 8 {
		t.Errorf("others' vertices left room for %d of 8 own ones", n)
	}
}

func TestPoolPassesOnWhatAnotherMemberForwardedOnceACallerWaitsForIt(t *testing.T) {
	p, clock := testPool(t)
	vertices, hashes := testVertices(t, 0, 1)
	p.AddForwarded(3, &messages.Forward{}, vertices, hashes, nil) // and member 3 does nothing more about it
	if _, err := p.Add(p.Reserve(len(vertices)), vertices, hashes, nil, NewWaiter(1), 0); err != nil {
		t.Fatal(err)
	}
	if got := p.Forward(1<<20, clock.Now()).Vertices; !bytes.Equal(got, vertices[0]) {
		t.Error("a vertex a caller waits for is not passed on, for another member had forwarded it")
	}
	clock.Advance(time.Minute)
	if p.Oldest() != time.Minute {
		t.Errorf("it is timed as %v", p.Oldest())
	}
}

func TestPoolForwardsWithinItsQuotaAndAgainWhenLost(t *testing.T) {
	p, clock := testPool(t)
	vertices, hashes := testVertices(t, 0, 3)
	if _, err := p.Add(p.Reserve(len(vertices)), vertices, hashes, nil, NewWaiter(3), 0); err != nil {
		t.Fatal(err)
	}
	first := bytes.Join(vertices[:2], nil)
	if got := p.Forward(1<<20, clock.Now().Add(-time.Second)).Vertices; !bytes.Equal(got, first) {
		t.Errorf("forwarded %d bytes, want the first two vertices: the quota is 2", len(got))
	}
	if got := p.Forward(1<<20, clock.Now().Add(-time.Second)).Vertices; len(got) != 0 {
		t.Error("forwarded beyond the quota")
	}
	clock.Advance(2 * time.Second)
	got := p.Forward(1<<20, clock.Now().Add(-time.Second)).Vertices
	if len(got) != len(first) {
		t.Errorf("forwarded %d bytes again after a second, want %d", len(got), len(first))
	}
}

func TestPoolReturnsWhatWasNotProposed(t *testing.T) {
	p, _ := testPool(t)
	vertices, hashes := testVertices(t, 0, 4)
	if _, err := p.Add(p.Reserve(len(vertices)), vertices, hashes, nil, NewWaiter(4), 0); err != nil {
		t.Fatal(err)
	}
	cut, cutHashes, _ := p.Cut(3, 1<<20)
	batch, err := messages.BuildBatch(cut, cutHashes, messages.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := p.Ready(); n != 1 {
		t.Errorf("%d ready after 3 of 4 were cut", n)
	}
	p.Return(batch)
	if n, _ := p.Ready(); n != 4 {
		t.Errorf("%d ready after a batch was returned, want 4", n)
	}
}

func TestPoolTellsThoseWhoWaitThatItCloses(t *testing.T) {
	for _, why := range []error{ErrStopped, ErrHalted} {
		p, _ := testPool(t)
		vertices, hashes := testVertices(t, 0, 2)
		w := NewWaiter(3)
		if _, err := p.Add(p.Reserve(len(vertices)), vertices, hashes, nil, w, 0); err != nil {
			t.Fatal(err)
		}
		cut, cutHashes, _ := p.Cut(1, 1<<20)
		batch, err := messages.BuildBatch(cut, cutHashes, messages.DefaultParams())
		if err != nil {
			t.Fatal(err)
		}
		p.close(why)
		<-w.Done
		if pending, untaken := w.Pending(); !errors.Is(w.Err(), why) || !slices.Equal(pending, hashes) || untaken != 1 {
			t.Errorf("who waited was told %v, that %v are pending, and %d not taken", w.Err(), pending, untaken)
		}
		if _, err := p.Add(p.Reserve(len(vertices)), vertices, hashes, nil, NewWaiter(2), 0); !errors.Is(err, why) {
			t.Errorf("a closed pool said %v", err)
		}
		// A batch may be on its way out of the executor.
		p.Executed(batch, Receipt{Seq: 1}, make([]pbft.Outcome, 1), make([]Operation, 1), func(time.Duration, int) {})
		p.close(ErrStopped)
		if w.Receipts[0].Seq != 0 || !errors.Is(w.Err(), why) {
			t.Errorf("what was told changes to %v, receipts %+v", w.Err(), w.Receipts)
		}
		if n, err := p.AwaitRoom(t.Context(), 1); n != 0 || !errors.Is(err, why) {
			t.Errorf("who waits for room in a closed pool gets %d, %v", n, err)
		}
	}
}

func TestPoolSendsEachVertexOnceWhenPartsExceedTheBytes(t *testing.T) {
	p, clock := testPool(t)
	vertices, hashes := testVertices(t, 0, 2)
	if _, err := p.Add(p.Reserve(len(vertices)), vertices, hashes, nil, NewWaiter(2), 0); err != nil {
		t.Fatal(err)
	}
	size := len(vertices[0])
	one := p.Forward(size+1, clock.Now().Add(-time.Second)).Vertices
	two := p.Forward(size+1, clock.Now().Add(-time.Second)).Vertices
	if !bytes.Equal(one, vertices[0]) || !bytes.Equal(two, vertices[1]) {
		t.Error("two vertices were not sent one by one when only one fits")
	}
}

func TestL4_AVertexIsTimedFromWhenTheLeaderGotIt(t *testing.T) {
	p, clock := testPool(t)
	vertices, hashes := testVertices(t, 0, 3)
	if _, err := p.Add(p.Reserve(len(vertices)), vertices, hashes, nil, NewWaiter(3), 0); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	if age := p.Oldest(); age != 0 {
		t.Errorf("vertices that never left are timed: %v", age)
	}
	p.Forward(1<<20, clock.Now().Add(-time.Minute)) // two of three: the quota
	clock.Advance(2 * time.Minute)
	p.Forward(1<<20, clock.Now().Add(-time.Minute)) // again
	clock.Advance(time.Second)
	if age, want := p.Oldest(), 2*time.Minute+time.Second; age != want {
		t.Errorf("the oldest vertex is %v with the leader, want %v: sending it again starts no new term", age, want)
	}
}

func TestPoolProposesAnOwnVertexAgainWhenItsNonceWasSpentUnused(t *testing.T) {
	p, _ := testPool(t)
	p.RenewNonces(func(encoded []byte) []byte { return messages.WithNonce(encoded, 77) })
	vertices, hashes := testVertices(t, 0, 2)
	w := NewWaiter(2)
	if _, err := p.Add(p.Reserve(len(vertices)), vertices, hashes, nil, w, 0); err != nil {
		t.Fatal(err)
	}
	cut, cutHashes, _ := p.Cut(2, 1<<20)
	batch, err := messages.BuildBatch(cut, cutHashes, messages.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	ignore := func(time.Duration, int) {}
	p.Executed(batch, Receipt{Seq: 1}, []pbft.Outcome{pbft.NonceSpent, pbft.Repeated}, nil, ignore)
	if w.Receipts[1].Outcome != pbft.Repeated || w.missing != 1 {
		t.Errorf("a repeated vertex has receipt %+v, %d missing", w.Receipts[1], w.missing)
	}
	again, againHashes, _ := p.Cut(2, 1<<20)
	if pending, _ := w.Pending(); !slices.Equal(pending, againHashes) {
		t.Errorf("%v are pending, proposed again were %v", pending, againHashes)
	}
	if len(again) != 1 {
		t.Fatalf("%d vertices proposed again, want the one whose nonce was spent", len(again))
	}
	view, _, err := messages.ParseVertex(again[0])
	if err != nil || view.Nonce() != 77 || string(view.Payload()) != "\x00" {
		t.Errorf("proposed again as nonce %d payload %q, %v", view.Nonce(), view.Payload(), err)
	}
	if batch, err = messages.BuildBatch(again, againHashes, messages.DefaultParams()); err != nil {
		t.Fatal(err)
	}
	p.Executed(batch, Receipt{Seq: 2}, []pbft.Outcome{pbft.Fresh}, make([]Operation, 1), ignore)
	<-w.Done
	if r := w.Receipts[0]; r.Seq != 2 || r.Outcome != pbft.Fresh || r.Vertex != againHashes[0] {
		t.Errorf("the vertex proposed again has receipt %+v", r)
	}
}
