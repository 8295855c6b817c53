package detector

import (
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// BenchmarkEquivocation is the time from two verified votes to evidence.
func BenchmarkEquivocation(b *testing.B) {
	s := newSigners(b, 4)
	x, y := s.one(1, prepare(7, 1)), s.one(1, prepare(7, 2))
	b.ReportAllocs()
	for b.Loop() {
		if _, proof := Equivocation(x, y); !proof {
			b.Fatal("no proof")
		}
	}
}

// BenchmarkDetect is the time in which the second of two conflicting votes
// leads to a conviction and a ban.
func BenchmarkDetect(b *testing.B) {
	s := newSigners(b, 4)
	x, y := s.one(1, prepare(7, 1)), s.one(1, prepare(7, 2))
	detectors := make([]*Detector, 1024)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(detectors) == 0 {
			b.StopTimer()
			for j := range detectors {
				detectors[j] = newDetector(4)
				detectors[j].Observe(x)
			}
			b.StartTimer()
		}
		if len(detectors[i%len(detectors)].Observe(y)) != 1 {
			b.Fatal("not detected")
		}
	}
}

// BenchmarkObserve is what each honest vote costs.
func BenchmarkObserve(b *testing.B) {
	s := newSigners(b, 4)
	var votes []crypto.Verified[messages.Vote]
	for base := range messages.Seq(8) {
		var group []messages.Vote
		for i := range messages.Seq(32) {
			group = append(group, prepare(1+base*32+i, 1), legal(messages.Commit, 0, 1+base*32+i, 1))
		}
		votes = append(votes, s.sign(1, group...)...)
	}
	d := newDetector(4)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if d.Observe(votes[i%len(votes)]) != nil {
			b.Fatal("charged")
		}
		if i%len(votes) == len(votes)-1 {
			d.Forget(256)
			d.low = 0 // the same window again
		}
	}
}

// BenchmarkVerifyEvidence is two signatures and little else.
func BenchmarkVerifyEvidence(b *testing.B) {
	s := newChain(b, 4, crypto.DefaultScheme, 4096)
	e := s.lie(1, 7)
	b.ReportAllocs()
	for b.Loop() {
		if err := VerifyEvidence(s.Keyring, e); err != nil {
			b.Fatal(err)
		}
	}
}
