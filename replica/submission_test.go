package replica_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// TestSubmitTakesTheOthers: what is refused among vertices is told by place, and each
// of the others has its own receipt.
func TestSubmitTakesTheOthers(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	list := vertices(6)
	list[1].Payload = nil
	list[4].Payload = make([]byte, messages.VertexBytesMax)
	list[5].Creator, list[5].Nonce, list[5].Expires = [32]byte{1}, 3, 1000
	s, err := c.Replica(1).Submit(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i].Payload = []byte("the caller's again")
	}
	receipts, err := s.Wait(t.Context())
	if err != nil || len(receipts) != 6 {
		t.Fatalf("%d receipts: %v", len(receipts), err)
	}
	if !errors.Is(s.Refused[1], replica.ErrEmptyPayload) || !errors.As(s.Refused[4], new(*replica.TooLargeError)) {
		t.Errorf("refused: %v", s.Refused)
	}
	c.AwaitEqual(receipts[5].Seq)
	for i, want := range vertices(6) {
		if i == 1 || i == 4 {
			if receipts[i] != (replica.Receipt{}) {
				t.Errorf("vertex %d was refused and has %+v", i, receipts[i])
			}
			continue
		}
		f, err := c.Replica(2).Find(receipts[i].Vertex)
		if err != nil || s.Refused[i] != nil || !bytes.Equal(f.Vertex.Payload(), want.Payload) {
			t.Errorf("vertex %d: receipt %+v, refused %v, found %v", i, receipts[i], s.Refused[i], err)
		}
	}
	s, err = c.Replica(1).Submit(t.Context(), make([]replica.Vertex, 2))
	if err != nil {
		t.Fatal(err)
	}
	if receipts, err := s.Wait(t.Context()); err != nil || len(receipts) != 2 || s.Refused[0] == nil || s.Refused[1] == nil {
		t.Errorf("of two without a payload: %v, %v", receipts, err)
	}
}

// TestSubmitSigned: a bad signature refuses what it was to cover, and nothing else;
// an authorisation made bytes of and read again serves; and afterwards the creator is
// told its next nonce. [X7, X9]
func TestSubmitSigned(t *testing.T) {
	c := testkit.NewCluster(t, 4, testkit.WithParams(func(p *messages.Params) { p.RequireVertexSignatures = true }))
	scheme, err := crypto.SchemeByName(c.Genesis.Scheme)
	if err != nil {
		t.Fatal(err)
	}
	key, err := scheme.NewKey(bytes.Repeat([]byte{3}, scheme.SeedSize()))
	if err != nil {
		t.Fatal(err)
	}
	creator := replica.NewCreator(c.Genesis, key)
	sign := func(first, n int) []replica.Vertex {
		list := make([]replica.Vertex, n)
		for i := range list {
			list[i] = replica.Vertex{Payload: fmt.Appendf(nil, "vertex %d", first+i), Nonce: uint64(first + i), Expires: 1000}
		}
		list, err := creator.SignVertices(list)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if n, err := c.Replica(0).Nonces(t.Context(), creator.ID()); err != nil || n.Next != 0 || n.Window == 0 {
		t.Fatalf("nonces of a new creator: %+v, %v", n, err)
	}
	good, spoilt, changed := sign(0, 3), sign(3, 3), sign(6, 3)
	g := *spoilt[0].Seal.Group
	g.Signature = make([]byte, len(g.Signature))
	for i := range spoilt {
		spoilt[i].Seal.Group = &g
	}
	changed[1].Payload = []byte("another")
	sent := good
	section, err := replica.Authorisation(sent)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sent {
		sent[i].Seal = messages.Seal{}
	}
	if err := replica.Authorise(sent, section); err != nil {
		t.Fatal(err)
	}
	list := append(append(append(sent, spoilt...), changed...), replica.Vertex{Payload: []byte("unsigned")})
	s, err := c.Replica(2).Submit(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	receipts, err := s.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, nil, nil, crypto.BadCreatorSignature, crypto.BadCreatorSignature, crypto.BadCreatorSignature, nil, errAny, nil, messages.ErrUnsigned} {
		refused := s.Refused[i]
		switch {
		case want == nil && (refused != nil || receipts[i].Seq == 0 || receipts[i].Outcome != pbft.Fresh):
			t.Errorf("vertex %d: %v, receipt %+v", i, refused, receipts[i])
		case want != nil && refused == nil, want != nil && want != errAny && !errors.Is(refused, want):
			t.Errorf("vertex %d: %v, want %v", i, refused, want)
		}
	}
	if n, err := c.Replica(2).Nonces(t.Context(), creator.ID()); err != nil || n.Next != 9 || n.Base != 0 || n.Sequence < receipts[0].Seq {
		t.Errorf("nonces afterwards: %+v, %v", n, err)
	}
	good[0], good[1] = good[1], good[0]
	if _, err := replica.Authorisation(good[:3]); err == nil {
		t.Error("vertices out of the order in which they were signed have an authorisation")
	}
	stopped := c.Replica(2)
	c.Kill(2)
	if _, err := stopped.Nonces(t.Context(), creator.ID()); !errors.Is(err, replica.ErrStopped) {
		t.Errorf("a replica that has stopped tells nonces: %v", err)
	}
}

var errAny = errors.New("any error")
