package pbft_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

const nonceWindow = 64

func creator(number uint64) (c pbft.Creator) {
	c[0] = byte(number)
	binary.BigEndian.PutUint64(c[8:], number)
	return c
}

// execution is one vertex executed at a sequence, with what it means.
type execution struct {
	seq     messages.Seq
	nonce   uint64
	expires messages.Seq
	want    pbft.Outcome
}

func executes(t *testing.T, list []execution) {
	t.Helper()
	c := pbft.NewClients(nonceWindow)
	for i, e := range list {
		if got := c.Execute(e.seq, creator(1), e.nonce, e.expires); got != e.want {
			t.Errorf("vertex %d, nonce %d at sequence %d: %v, want %v", i, e.nonce, e.seq, got, e.want)
		}
	}
}

func TestX1_WhatWasExecutedIsANoOp(t *testing.T) {
	executes(t, []execution{
		{1, 7, 100, pbft.Fresh},
		{1, 7, 100, pbft.Repeated},
		{9, 7, 200, pbft.Repeated},
		{9, 8, 100, pbft.Fresh},
		{9, 6, 100, pbft.Fresh}, // out of order is no offence
		{10, 6, 100, pbft.Repeated},
	})
	c := pbft.NewClients(nonceWindow)
	c.Execute(1, creator(1), 7, 100)
	if got := c.Execute(1, creator(2), 7, 100); got != pbft.Fresh {
		t.Errorf("the same nonce of another creator: %v", got)
	}
}

func TestX2_ANonceAboveTheWindowMovesIt(t *testing.T) {
	executes(t, []execution{
		{1, 2 * nonceWindow, 100, pbft.NonceTooFar}, // more than one window at a time
		{1, nonceWindow - 1, 100, pbft.Fresh},       // the last of the window
		{1, 0, 100, pbft.Fresh},
		{1, nonceWindow, 100, pbft.Fresh}, // moves it by one
		{1, 0, 100, pbft.NonceSpent},
		{1, 1, 100, pbft.Fresh}, // now the first
		{1, nonceWindow, 100, pbft.Repeated},
		{1, 2*nonceWindow + 1, 100, pbft.NonceTooFar},
		{1, 2 * nonceWindow, 100, pbft.Fresh}, // moves it by one window: 65 … 128
		{1, nonceWindow, 100, pbft.NonceSpent},
		{1, nonceWindow + 1, 100, pbft.Fresh}, // no bit of 1, which it shares, is left
		{1, 2 * nonceWindow, 100, pbft.Repeated},
		{1, math.MaxUint64, 100, pbft.NonceTooFar},
	})
}

func TestX3_AVertexExpires(t *testing.T) {
	executes(t, []execution{
		{5, 1, 4, pbft.Expired},
		{5, 1, 0, pbft.Expired},
		{5, 1, 5 + pbft.ExpiryReach + 1, pbft.ExpiresLate},
		{5, 1, math.MaxUint64, pbft.ExpiresLate},
		{5, 1, 5 + pbft.ExpiryReach, pbft.Fresh}, // nothing refused spent the nonce
		{6, 2, 6, pbft.Fresh},
	})
}

// A creator is forgotten when the last vertex it may have executed has expired,
// and not one checkpoint before: else it would execute twice.
func TestX3_ACreatorIsForgottenWhenItsVerticesExpired(t *testing.T) {
	c := pbft.NewClients(nonceWindow)
	const at = 100
	last := at + pbft.ExpiryReach
	if got := c.Execute(at, creator(1), 1, last); got != pbft.Fresh {
		t.Fatal(got)
	}
	c.Forget(last)
	if got := c.Execute(last, creator(1), 1, last); got != pbft.Repeated {
		t.Fatalf("executed again at its last sequence: %v", got)
	}
	c.Forget(last + 1)
	if c.Len() != 0 || c.Spent(creator(1), 1) {
		t.Errorf("%d creators are remembered whose vertices have all expired", c.Len())
	}
	if got := c.Execute(last+1, creator(1), 1, last); got != pbft.Expired {
		t.Errorf("the old vertex after its creator was forgotten: %v", got)
	}
	if got := c.Execute(last+1, creator(1), 1, last+1); got != pbft.Fresh || !c.Spent(creator(1), 1) {
		t.Errorf("a new vertex of the forgotten creator: %v", got)
	}
}

// Forgetting leaves no trace: a table restored from what is stored afterwards
// has the same digest. [X3, C1]
func TestX3_AForgottenCreatorLeavesNoTrace(t *testing.T) {
	c := pbft.NewClients(nonceWindow)
	c.Execute(1, creator(1), 1, 1)
	c.Digest()
	c.Forget(pbft.ExpiryReach + 2)
	root, changed := c.Digest()
	if empty, _ := pbft.NewClients(nonceWindow).Digest(); root != empty {
		t.Error("an emptied table has another digest than an empty one")
	}
	if len(changed) != 1 || changed[0] != 1 {
		t.Errorf("changed buckets %v, want the emptied one, 1", changed)
	}
}

func TestX4_CreatorsAreBounded(t *testing.T) {
	c := pbft.NewClients(messages.NonceWindowMax) // few creators fill the table
	creatorsMax := pbft.CreatorsMax(messages.NonceWindowMax)
	if got := c.Execute(1, creator(0), 2*messages.NonceWindowMax, 1); got != pbft.NonceTooFar || c.Len() != 0 {
		t.Errorf("a no-op: %v, %d creators remembered", got, c.Len())
	}
	for i := range uint64(creatorsMax) {
		if got := c.Execute(1, creator(i), 1, 1); got != pbft.Fresh {
			t.Fatalf("creator %d: %v", i, got)
		}
	}
	if got := c.Execute(2, creator(uint64(creatorsMax)), 1, 9); got != pbft.TooManyCreators || c.Len() != creatorsMax {
		t.Errorf("one more creator: %v, %d remembered", got, c.Len())
	}
	if got := c.Execute(2, creator(5), 2, 9); got != pbft.Fresh {
		t.Errorf("a creator that is known: %v", got)
	}
	c.Forget(pbft.ExpiryReach + 2)
	if got := c.Execute(pbft.ExpiryReach+2, creator(uint64(creatorsMax)), 1, pbft.ExpiryReach+2); got != pbft.Fresh || c.Len() != 2 {
		t.Errorf("with room again: %v, %d remembered", got, c.Len())
	}
}

// clientModel is the rule without a bit of cleverness.
type clientModel struct {
	base     map[pbft.Creator]uint64
	executed map[pbft.Creator]map[uint64]bool
	recent   map[pbft.Creator]messages.Seq
}

func newClientModel() *clientModel {
	return &clientModel{map[pbft.Creator]uint64{}, map[pbft.Creator]map[uint64]bool{}, map[pbft.Creator]messages.Seq{}}
}

func (m *clientModel) execute(seq messages.Seq, c pbft.Creator, nonce uint64, expires messages.Seq) pbft.Outcome {
	switch base := m.base[c]; {
	case seq > expires:
		return pbft.Expired
	case expires-seq > pbft.ExpiryReach:
		return pbft.ExpiresLate
	case nonce < base:
		return pbft.NonceSpent
	case nonce >= base+2*nonceWindow || nonce == math.MaxUint64:
		return pbft.NonceTooFar
	case m.executed[c][nonce]:
		return pbft.Repeated
	case nonce >= base+nonceWindow:
		m.base[c] = nonce - nonceWindow + 1
	}
	if m.executed[c] == nil {
		m.executed[c] = map[uint64]bool{}
	}
	m.executed[c][nonce] = true
	m.recent[c] = seq
	return pbft.Fresh
}

func (m *clientModel) forget(seq messages.Seq) {
	for c, recent := range m.recent {
		if recent+pbft.ExpiryReach < seq {
			delete(m.base, c)
			delete(m.executed, c)
			delete(m.recent, c)
		}
	}
}

func (m *clientModel) spent(c pbft.Creator, nonce uint64) bool {
	return nonce < m.base[c] || m.executed[c][nonce]
}

// The table against the model over random histories, restored from its bytes
// now and then. [X1, X2, X3]
func TestClientsFollowTheModel(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		c, model := pbft.NewClients(nonceWindow), newClientModel()
		seq := messages.Seq(1)
		for step := range 2000 {
			who := creator(r.Uint64N(6))
			nonce := model.base[who] + r.Uint64N(3*nonceWindow)
			if r.IntN(8) == 0 {
				nonce -= r.Uint64N(nonceWindow) // may wrap around to the far end
			}
			expires := seq + messages.Seq(r.Uint64N(4)) - 1
			want := model.execute(seq, who, nonce, expires)
			if got := c.Execute(seq, who, nonce, expires); got != want {
				t.Fatalf("seed %d step %d: nonce %d at %d: %v, want %v", seed, step, nonce, seq, got, want)
			}
			probe := model.base[who] + r.Uint64N(2*nonceWindow)
			if got, want := c.Spent(who, probe), model.spent(who, probe); got != want {
				t.Fatalf("seed %d step %d: nonce %d spent %v, want %v", seed, step, probe, got, want)
			}
			switch r.IntN(50) {
			case 0:
				seq += messages.Seq(r.Uint64N(uint64(pbft.ExpiryReach)))
				c.Forget(seq)
				model.forget(seq)
			case 1:
				c = restoredClients(t, c)
			default:
				seq += messages.Seq(r.Uint64N(2))
			}
		}
	}
}

// restoredClients is the table another replica makes of this one's bytes.
func restoredClients(t *testing.T, c *pbft.Clients) *pbft.Clients {
	t.Helper()
	other := pbft.NewClients(nonceWindow)
	for i := range c.Buckets() {
		if err := other.RestoreBucket(i, c.EncodeBucket(i)); err != nil {
			t.Fatal(err)
		}
	}
	want, _ := c.Digest()
	if got, _ := other.Digest(); got != want || other.Len() != c.Len() {
		t.Fatalf("restored %d creators with digest %v, want %d with %v", other.Len(), got, c.Len(), want)
	}
	return other
}

// The digest names every bit of the table, and hashes again only what changed.
// TestC1_TheClientDigestDoesNotDependOnWhoCameFirst: replicas execute alike, but
// one that restores a table inserts in the order of the encoding.
func TestC1_TheClientDigestDoesNotDependOnWhoCameFirst(t *testing.T) {
	ids := []pbft.Creator{creator(0x300), creator(0x100), creator(0x200)} // of one bucket
	one, other := pbft.NewClients(nonceWindow), pbft.NewClients(nonceWindow)
	for i := range ids {
		one.Execute(1, ids[i], 1, 100)
		other.Execute(1, ids[len(ids)-1-i], 1, 100)
	}
	a, _ := one.Digest()
	b, _ := other.Digest()
	if a != b {
		t.Error("two orders of the same creators give two digests")
	}
	restored := pbft.NewClients(nonceWindow)
	if err := restored.RestoreBucket(0, one.EncodeBucket(0)); err != nil {
		t.Fatal(err)
	}
	if c, _ := restored.Digest(); c != a {
		t.Error("the restored table has another digest")
	}
}

func TestC1_TheClientDigestCoversEveryNonce(t *testing.T) {
	c := pbft.NewClients(nonceWindow)
	seen := map[messages.Digest]bool{}
	root, changed := c.Digest()
	if seen[root] = true; len(changed) != 0 {
		t.Errorf("an empty table changed %v", changed)
	}
	for i, e := range []struct {
		seq     messages.Seq
		creator uint64
		nonce   uint64
	}{{1, 1, 1}, {1, 1, 2}, {2, 1, 3}, {2, 2, 1}, {3, 257, 1}, {3, 1, 100}} {
		c.Execute(e.seq, creator(e.creator), e.nonce, e.seq)
		root, changed := c.Digest()
		if seen[root] {
			t.Errorf("step %d: the digest did not change", i)
		}
		if seen[root] = true; len(changed) != 1 || changed[0] != int(byte(e.creator)) {
			t.Errorf("step %d: hashed %v again, want bucket %d", i, changed, byte(e.creator))
		}
		restoredClients(t, c)
	}
	c.Execute(3, creator(1), 100, 3) // a no-op
	if _, changed := c.Digest(); len(changed) != 0 {
		t.Errorf("a no-op changed %v", changed)
	}
}

func TestRestoreBucketRefusesWhatItDidNotWrite(t *testing.T) {
	c := pbft.NewClients(nonceWindow)
	c.Execute(1, creator(1), 1, 1)
	c.Execute(1, creator(257), 1, 1)
	good := c.EncodeBucket(1)
	half := len(good) / 2
	for name, bad := range map[string]struct {
		bucket int
		data   []byte
	}{
		"a torn entry":         {1, good[:len(good)-1]},
		"creators out of turn": {1, append(good[half:len(good):len(good)], good[:half]...)},
		"a creator twice":      {1, append(good[:half:half], good[:half]...)},
		"another bucket's":     {2, good},
		"no such bucket":       {256, nil},
		"a negative bucket":    {-1, nil},
	} {
		if err := pbft.NewClients(nonceWindow).RestoreBucket(bad.bucket, bad.data); err == nil {
			t.Errorf("%s was restored", name)
		}
	}
	if err := c.RestoreBucket(1, good); err == nil {
		t.Error("a bucket was restored over another")
	}
}
