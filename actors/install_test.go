package actors

import (
	"bytes"
	"crypto/sha256"
	"io"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// whole is an application whose state is one piece.
type whole struct {
	state    []byte
	restored int
}

func (w *whole) Apply(messages.Seq, []Operation) {}
func (w *whole) Digest() messages.Digest         { return sha256.Sum256(w.state) }

func (w *whole) Snapshot(to io.Writer) error {
	_, err := to.Write(w.state)
	return err
}

func (w *whole) Restore(r io.Reader) (err error) {
	w.restored++
	w.state, err = io.ReadAll(r)
	return err
}

// heard is a context of an actor that keeps what it is sent.
type heard struct {
	actor.Context
	sent []any
}

func (h *heard) Send(_ *actor.PID, m any) { h.sent = append(h.sent, m) }

// installing is an executor that is about to take over states in one piece.
type installing struct {
	*executor
	*heard
	t   *testing.T
	app *whole
}

func newInstalling(t *testing.T) *installing {
	state := memoryState(t)
	app := &whole{state: []byte("before")}
	genesis, _, _ := cryptotest.NewMembers(4, 1, cryptotest.NewHMAC())
	tree := &Tree{n: 4, log: zerolog.Nop(), done: make(chan struct{}), cfg: Config{State: state, App: app, Genesis: genesis}}
	tree.execution = newExecution(&executedState{app: app, clients: pbft.NewClients(genesis.Params.NonceWindow)}, newLayout(0), 8)
	t.Cleanup(func() {
		if tree.err != nil {
			t.Errorf("the replica stopped: %v", tree.err)
		}
	})
	return &installing{newExecutor(tree, 1), &heard{}, t, app}
}

// fetched puts the parts of a state of the store in place, cut as they are, as what
// is being fetched. Signed is what the state is to be.
func (i *installing) fetched(signed []byte, parts ...[]byte) *install {
	i.t.Helper()
	m := &messages.Manifest{
		Seq: 8, Head: messages.Digest{1}, Application: pbft.PieceDigest(sha256.Sum256(signed)),
		Certificate: []*messages.Bundle{{Votes: []messages.Vote{{Kind: messages.Checkpoint, Seq: 8, Digest: messages.Digest{1}}}, Signature: []byte{1}}},
	}
	var hashes []messages.Digest
	batch := i.executor.t.cfg.State.NewBatch()
	for k, p := range parts {
		hashes = append(hashes, pbft.HashPart(p))
		batch.Set(partKey(1, pbft.Part{App: true, Number: uint32(k)}), p)
	}
	m.App = pbft.ListBuckets([][]messages.Digest{hashes})
	remember(batch, m)
	if err := batch.Commit(false); err != nil {
		i.t.Fatal(err)
	}
	clients, _ := pbft.NewClients(i.executor.t.cfg.Genesis.Params.NonceWindow).Digest()
	return &install{m, pbft.StableCheckpoint{Seq: 8, Digest: pbft.StateDigest(m.Seq, m.Head, m.Vertices, m.Application, clients)}}
}

// try has an install arrive, and tells whether the manifest was refused.
func (i *installing) try(in *install) (refused bool) {
	i.t.Helper()
	i.sent = nil
	i.executor.install = in
	i.onInstall(i.heard)
	asked := i.sent
	i.sent = nil
	for _, m := range asked { // the sequencer answers
		i.putInForce(i.heard, &viewsBeside{seq: m.(*viewsWanted).seq})
	}
	for _, m := range i.sent {
		r, is := m.(*installRefused)
		if !is || r.manifest != in.manifest.Digest() {
			i.t.Errorf("%T is said of an install: %v", m, m)
		}
		refused = true
	}
	return refused
}

// A state is refused once: what waited behind it of the same says nothing, nor does
// what waited while another was begun, for the parts are the other's by now.
func TestR4_AnInstallThatNobodyAwaitsIsDropped(t *testing.T) {
	i := newInstalling(t)
	truth := []byte("the state")
	lie := i.fetched(truth, []byte("made up"))
	if !i.try(lie) {
		t.Fatal("a state that nobody signed is not refused")
	}
	if string(i.app.state) != "before" {
		t.Errorf("the application's state is %q", i.app.state)
	}
	tried := i.app.restored
	if i.try(lie) || i.app.restored != tried {
		t.Error("the same state is tried again")
	}
	i.fetched(truth, truth)
	if i.try(lie) || i.app.restored != tried || i.state.seq != 0 {
		t.Error("the parts of one manifest are taken for those of another")
	}
	if m, err := i.executor.t.incoming(); err != nil || m == nil || !bytes.Equal(m.App[0].Parts[0][:], digestSlice(truth)) {
		t.Errorf("what is fetched is forgotten: %v, %v", m, err)
	}
}

// Of a state in one piece the right bytes are not enough: cut in another way than
// everybody cuts them, they are refused, and so is anything beside them.
func TestR4_APieceIsCutAsEverybodyCutsIt(t *testing.T) {
	truth := make([]byte, 2*messages.PartBytesMax+7)
	for k := range truth {
		truth[k] = byte(k >> 8)
	}
	const most = messages.PartBytesMax
	for name, parts := range map[string][][]byte{
		"in halves":       {truth[:most/2], truth[most/2 : most], truth[most : 2*most], truth[2*most:]},
		"too large":       {truth[:most+1], truth[most+1 : 2*most+1], truth[2*most+1:]},
		"an empty part":   {truth[:most], truth[most : 2*most], truth[2*most:], {}},
		"shifted by one":  {truth[:most-1], truth[most-1 : 2*most-1], truth[2*most-1:]},
		"a last one more": {truth[:most], truth[most : 2*most], truth[2*most : 2*most+1], truth[2*most+1:]},
	} {
		i := newInstalling(t)
		if !i.try(i.fetched(truth, parts...)) {
			t.Errorf("%s: a state is installed", name)
		}
		if i.app.restored != 0 || string(i.app.state) != "before" {
			t.Errorf("%s: the application was given a state", name)
		}
	}
	i := newInstalling(t)
	in := i.fetched(truth, pbft.SplitParts(truth)...)
	if state, ok, err := i.takeOver(in); err != nil || !ok || state.seq != 8 || !bytes.Equal(i.app.state, truth) {
		t.Errorf("cut as it should be it is not taken over: %t, %v", ok, err)
	}
	other := *in.manifest
	other.App = pbft.ListBuckets([][]messages.Digest{pbft.HashParts(make([]byte, len(truth)))})
	if _, ok, err := i.takeOver(&install{&other, in.stable}); err != nil || ok {
		t.Errorf("parts that its manifest does not list are taken over: %v", err)
	}
	stray := i.executor.t.cfg.State.NewBatch()
	stray.Set(partKey(1, pbft.Part{App: true, Number: 3}), []byte("stray"))
	if err := stray.Commit(false); err != nil {
		t.Fatal(err)
	}
	if !i.try(in) {
		t.Error("a part that is not listed is installed")
	}
	empty := newInstalling(t)
	if _, ok, err := empty.takeOver(empty.fetched(nil)); err != nil || !ok || len(empty.app.state) != 0 {
		t.Errorf("the empty state is not taken over: %t, %v", ok, err)
	}
}

func digestSlice(part []byte) []byte {
	d := pbft.HashPart(part)
	return d[:]
}
