package detector

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// A world is what one honest replica meets: members of which up to f do what
// they like, and a network that repeats, delays and loses.
type world struct {
	*signers
	rng    *rand.Rand
	d      *Detector
	now    time.Time
	liars  []messages.Index
	lied   map[messages.Index]bool // a liar's two digests for one place arrived
	sent   []*messages.Bundle      // everything ever signed, for replays
	proofs []Evidence
}

func (w *world) honest(id messages.Index) bool { return !slices.Contains(w.liars, id) }

func (w *world) member() messages.Index { return messages.Index(w.rng.IntN(w.N())) }

// vote is a legal vote whose digest follows from its place and the variant:
// honest members know one variant only.
func (w *world) vote(variant byte) messages.Vote {
	kind := messages.Kinds[w.rng.IntN(len(messages.Kinds))]
	v := legal(kind, messages.View(1+w.rng.IntN(3)), messages.Seq(1+w.rng.IntN(20)), 0)
	v.Digest = messages.Digest{byte(v.Kind), byte(v.View), byte(v.Seq), variant, 1}
	return v
}

func (w *world) deliver(b *messages.Bundle, channel messages.Index) {
	votes, err := w.Open(b)
	var bad *crypto.BundleError
	if errors.As(err, &bad) && bad.Reason == crypto.WrongEpoch {
		return // as ingress does: early or late, nobody's fault
	}
	if err != nil {
		// As ingress does: the channel's peer answers, not the name inside.
		w.d.InvalidSignature(channel)
		return
	}
	for _, v := range votes {
		for _, found := range w.d.Observe(v) {
			w.proofs = append(w.proofs, *found.Evidence)
			w.lied[found.Member] = true
		}
	}
}

// step lets one thing happen.
func (w *world) step() {
	from, liar := w.member(), w.liars[w.rng.IntN(len(w.liars))]
	switch w.rng.IntN(12) {
	case 0, 1, 2, 3: // a vote: honest ones of one mind, the liar's of any
		variant := byte(0)
		if !w.honest(from) {
			variant = byte(w.rng.IntN(3))
		}
		b := w.sign(from, w.vote(variant), w.vote(variant))[0].Bundle()
		w.sent = append(w.sent, b)
		w.deliver(b, from)
	case 4, 5: // anything old, again, relayed by anyone
		if len(w.sent) > 0 {
			w.deliver(w.sent[w.rng.IntN(len(w.sent))], from)
		}
	case 6: // garbage in another's name
		if len(w.sent) > 0 {
			b := *w.sent[w.rng.IntN(len(w.sent))]
			b.Votes = append(slices.Clone(b.Votes), w.vote(2))
			if w.rng.IntN(2) == 0 {
				b.From = w.member()
			}
			w.deliver(&b, liar)
		}
	case 7: // slander: true evidence bent, or two bundles that prove nothing
		w.slander(liar)
	case 8: // a network that makes anyone look slow, and a liar's noise
		w.d.TimeoutViolation(from)
		w.d.NonParticipation(w.member())
		w.d.Malformed(liar)
	case 10: // a proof is passed on, by anyone and again and again: it holds, always
		if len(w.proofs) > 0 {
			if _, err := w.d.Learn(w.Keyring, w.proofs[w.rng.IntN(len(w.proofs))]); err != nil {
				w.t.Fatalf("what was judged before does not hold: %v", err)
			}
		}
	case 11: // votes of another epoch, late or early, come by way of anyone
		if len(w.sent) > 0 {
			b := *w.sent[w.rng.IntN(len(w.sent))]
			b.Epoch++
			w.deliver(&b, from)
		}
	case 9: // time passes
		w.now = w.now.Add(time.Duration(w.rng.IntN(5)) * time.Second)
		w.d.Decay(w.now)
		if w.rng.IntN(4) == 0 {
			w.d.CheckpointStable()
			w.d.Forget(messages.Seq(w.rng.IntN(5)))
		}
	}
}

func (w *world) slander(liar messages.Index) {
	victim := w.member()
	var e Evidence
	if len(w.proofs) > 0 && w.rng.IntN(2) == 0 {
		e = w.proofs[w.rng.IntN(len(w.proofs))]
		e.Member = victim
	} else if len(w.sent) > 1 {
		a, b := w.sent[w.rng.IntN(len(w.sent))], w.sent[w.rng.IntN(len(w.sent))]
		va, vb := a.Votes[0], b.Votes[0]
		if bytes.Compare(va.Digest[:], vb.Digest[:]) > 0 {
			a, b, va, vb = b, a, vb, va
		}
		e = Evidence{
			Member: a.From, Kind: va.Kind, View: va.View, Seq: va.Seq,
			Digests: [2]messages.Digest{va.Digest, vb.Digest}, Bundles: [2]*messages.Bundle{a, b},
		}
	} else {
		return
	}
	found, err := w.d.Learn(w.Keyring, e)
	if err != nil {
		w.d.ProtocolViolation(liar)
	}
	for _, v := range found { // it was proof after all
		w.lied[v.Member] = true
	}
}

// Whatever up to f members do, with whatever the network does: a member that
// never signed two digests for one place is never convicted nor banned, is
// charged with nothing but lateness, and is back at its full reputation once
// the network behaves. Members that did, and whose votes both arrived, are
// convicted. [E1, E5, E6]
func TestDetector_NobodyHonestIsFramed(t *testing.T) {
	convicted := 0
	for seed := range uint64(12) {
		n := []int{4, 7, 10}[seed%3]
		s := newSigners(t, n)
		rng := rand.New(rand.NewPCG(seed, 7))
		w := &world{signers: s, rng: rng, d: newDetector(n), now: time.Unix(0, 0), lied: make(map[messages.Index]bool)}
		for _, i := range rng.Perm(n)[:messages.MaxFaulty(n)] {
			w.liars = append(w.liars, messages.Index(i))
		}
		for range 150 {
			w.step()
			stats := w.d.Stats()
			for _, m := range stats.Members {
				if w.honest(m.Member) && (m.Convicted || m.Banned || m.Score < scoreBan) {
					t.Fatalf("seed %d: honest member %d of %d stands at %+v", seed, m.Member, n, m)
				}
				if m.Convicted != w.lied[m.Member] {
					t.Fatalf("seed %d: member %d convicted: %t, lied: %t", seed, m.Member, m.Convicted, w.lied[m.Member])
				}
			}
			if stats.Banned > messages.MaxFaulty(n) {
				t.Fatalf("seed %d: %d of %d members banned", seed, stats.Banned, n)
			}
		}
		w.d.Decay(w.now)
		w.d.Decay(w.now.Add(time.Hour))
		for _, m := range w.d.Stats().Members {
			charged := m.Violations.Total() - m.Violations[TypeTimeout] - m.Violations[TypeNonParticipation]
			if w.honest(m.Member) && (m.Score != 1000 || charged != 0) {
				t.Errorf("seed %d: honest member %d ended at %+v", seed, m.Member, m)
			}
		}
		for _, e := range w.d.Evidence() {
			if w.honest(e.Member) || VerifyEvidence(s.Keyring, e) != nil {
				t.Errorf("seed %d: holds %v", seed, e)
			}
			convicted++
		}
	}
	if convicted == 0 {
		t.Error("nobody ever lied: the worlds test nothing")
	}
}

// The same observations give the same verdicts, whatever order a map has.
func TestDetector_IsDeterministic(t *testing.T) {
	run := func() (out []Violation, stats Stats, kept []string) {
		s := newSigners(t, 7)
		d := New(Config{Members: 7, Enabled: true, VotesMax: 16})
		rng := rand.New(rand.NewPCG(5, 6))
		for i := range 300 {
			id := messages.Index(rng.IntN(7))
			switch rng.IntN(3) {
			case 0:
				out = append(out, d.Malformed(id)...)
			case 1:
				for _, v := range d.Observe(s.one(id, prepare(messages.Seq(1+rng.IntN(40)), byte(1+rng.IntN(2))))) {
					v.Evidence = nil // its signatures are hedged
					out = append(out, v)
				}
			case 2:
				if i%20 == 0 {
					d.Forget(messages.Seq(i / 20))
					out = append(out, Violation{Bans: d.CheckpointStable()})
				}
			}
		}
		for _, e := range d.Evidence() {
			kept = append(kept, e.String())
		}
		return out, d.Stats(), kept
	}
	aOut, aStats, aKept := run()
	bOut, bStats, bKept := run()
	if !reflect.DeepEqual(aOut, bOut) || !reflect.DeepEqual(aStats, bStats) || !slices.Equal(aKept, bKept) {
		t.Errorf("one input, two outcomes:\n%+v\n%+v", aStats, bStats)
	}
}
