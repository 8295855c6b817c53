package actors

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/metrics"
)

// A certificate speaks of a digest. A batch beside it that has another is the server's
// invention, and one without any, or with a part of a certificate, is no better.
func TestR3_AServedBatchIsTheOneThatWasCertified(t *testing.T) {
	_, keys, keyring := testKeyring(t, 4)
	tree := &Tree{n: 4, quorum: messages.Quorum(4), cfg: Config{
		Self: 3, Keyring: keyring, Clock: runtime.NewVirtual(time.Unix(0, 0)), Metrics: metrics.New(metrics.Options{Members: 4}),
	}}
	tree.peerLog = newPeerLog(zerolog.Nop(), tree.cfg.Clock)
	tree.ledger = newLedger(nil, memoryState(t), messages.DefaultParams())

	vertices, hashes := testVertices(t, 0, 2)
	truth, lie := testBatch(t, vertices[:1], hashes[:1]), testBatch(t, vertices[1:], hashes[1:])
	vote := messages.Vote{Kind: messages.Commit, View: 2, Seq: 5, Digest: truth.Digest()}
	certificate := make([]*messages.Bundle, 0, tree.quorum)
	for m := range messages.Index(tree.quorum) {
		b, _, err := crypto.Seal(keyring, m, keys[m], []messages.Vote{vote})
		if err != nil {
			t.Fatal(err)
		}
		certificate = append(certificate, b)
	}
	for _, c := range []struct {
		name        string
		body        []byte
		certificate []*messages.Bundle
		taken       bool
	}{
		{"what was certified", truth.Bytes(), certificate, true},
		{"another batch", lie.Bytes(), certificate, false},
		{"no batch", nil, certificate, false},
		{"too few votes", truth.Bytes(), certificate[1:], false},
	} {
		var sent heard
		d := &messages.Decided{View: 2, Seq: 5, Digest: truth.Digest(), Body: c.body, Certificate: c.certificate}
		(&signer{t: tree}).decided(&sent, 1, d)
		if len(sent.sent) != 1 {
			t.Fatalf("%s: %d messages followed", c.name, len(sent.sent))
		}
		switch m := sent.sent[0].(type) {
		case *fetched:
			if !c.taken || m.decision.batch.Digest() != truth.Digest() {
				t.Errorf("%s was taken", c.name)
			}
		case *misbehaved:
			if c.taken || m.peer != 1 {
				t.Errorf("%s: member %d is blamed", c.name, m.peer)
			}
		default:
			t.Errorf("%s: a %T followed", c.name, m)
		}
	}
}
