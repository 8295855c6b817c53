package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/detector"
	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/storage"
)

// What becomes of the proof that a NewView does not follow from its ViewChanges:
// the same as of other evidence. Only if it exceeds a frame peers are sent the
// NewView alone: they have its ViewChanges or ask for them, and come to the same
// verdict, unless they are in a higher view already.

// kindInvalidNewView stands in the state store where other evidence has the kind
// of the vote.
const kindInvalidNewView messages.Kind = 0xff

// newViewRefused brings the detector a NewView the manager refused.
type newViewRefused struct{ proof *messages.InvalidNewView }

// newViewProven brings the detector a peer's proof, judged.
type newViewProven struct{ proven detector.ProvenNewView }

// frameHeadBytes is what a frame adds to the proof in it.
const frameHeadBytes = 16

func (d *Detector) wantsNewView(proof *messages.InvalidNewView) bool {
	return ask(d, func(core *detector.Detector) bool { return core.WantsNewView(proof) })
}

// invalidNewView judges what a peer tells of a leader, as evidence does. [E1, E12]
func (s *signer) invalidNewView(c actor.Context, from messages.Index, proof *messages.InvalidNewView) {
	if !s.t.detector.wantsNewView(proof) {
		s.t.cfg.Metrics.Dropped("duplicate", 1)
		return
	}
	proven, err := detector.JudgeNewView(s.t.cfg.Keyring, s.t.cfg.Genesis.Params.Window, proof)
	if err != nil {
		s.rejectBundle(c, from, err)
		return
	}
	c.Send(s.t.links.detector, &newViewProven{proven})
}

func proofOf(e leader.NewViewRefused) *messages.InvalidNewView {
	p := &messages.InvalidNewView{NewView: &messages.NewViewMessage{Bundle: e.NewView.Bundle, Body: e.NewView.Body}}
	for _, vc := range e.S {
		p.ViewChanges = append(p.ViewChanges, &messages.ViewChangeMessage{Bundle: vc.Bundle, Body: vc.Body})
	}
	return p
}

// onNewViewRefused judges once more, by the signatures alone: what convicts must
// convince others. The signatures were verified before and are remembered.
func (a *detectorActor) onNewViewRefused(c actor.Context, m *newViewRefused) {
	if !a.t.detector.wantsNewView(m.proof) {
		return
	}
	proven, err := detector.JudgeNewView(a.t.cfg.Keyring, a.t.cfg.Genesis.Params.Window, m.proof)
	if err != nil {
		a.t.log.Error().Err(err).Str("file", m.proof.FileName()).Msg("a new-view was refused without a proof")
		return
	}
	a.report(c, ask(a.t.detector, func(core *detector.Detector) []detector.Violation { return core.BelieveNewView(proven) }))
}

// convictedOfNewView makes a proof durable, and only then tells.
func (a *detectorActor) convictedOfNewView(c actor.Context, p detector.ProvenNewView) {
	proof := p.Proof()
	batch := a.t.cfg.State.NewBatch()
	putNewView(batch, proof, false)
	if err := batch.Commit(true); err != nil {
		a.t.fail(fmt.Errorf("write evidence: %w", err))
		return
	}
	a.t.log.Warn().Int("peer", int(proof.NewView.Bundle.From)).Uint64("view", uint64(proof.NewView.Body.View)).
		Str("reason", p.Reason()).Str("file", proof.FileName()).
		Msg("member convicted: it signed a new-view that does not follow from its view-changes")
	if proof.NewView.Bundle.From == a.t.cfg.Self {
		a.t.convictedItself()
	}
	a.t.exportFile(proof.FileName(), encodeNewView(proof))
	c.Send(a.t.links.egress, &broadcast{cluster.LaneViewChange, travelling(proof)})
	a.t.hub.publish(messages.InvalidNewViewFound{Proof: proof, Reason: p.Reason()})
}

// travelling is what peers are sent of a proof.
func travelling(proof *messages.InvalidNewView) messages.Message {
	if len(encodeNewView(proof)) > messages.FrameBytesMax-frameHeadBytes {
		return proof.NewView
	}
	return proof
}

func encodeNewView(proof *messages.InvalidNewView) []byte {
	file, err := proof.Encode()
	if err != nil {
		panic(fmt.Sprintf("a judged proof has no file: %v", err))
	}
	return file
}

func newViewKey(proof *messages.InvalidNewView) []byte {
	b := proof.NewView.Bundle
	return evidenceKey(b.Epoch, b.From, kindInvalidNewView)
}

func putNewView(b *storage.Batch, proof *messages.InvalidNewView, forgiven bool) {
	b.Set(newViewKey(proof), append(forgivenByte(forgiven), encodeNewView(proof)...))
}

// recallNewView judges a stored proof anew.
func (t *Tree) recallNewView(file []byte, forgiven bool) error {
	proof, err := messages.ParseInvalidNewView(file)
	if err != nil {
		return err
	}
	proven, err := detector.JudgeNewView(t.cfg.Keyring, t.cfg.Genesis.Params.Window, proof)
	if err != nil {
		return err
	}
	t.detector.core.RecallNewView(proven, forgiven)
	t.exportFile(proof.FileName(), file)
	return nil
}

// EvidenceFile is a file of evidence.
type EvidenceFile struct {
	Name   string
	Member messages.Index // whom it convicts
	Data   []byte
}

// Files gives all evidence held, in the form of files.
func (d *Detector) Files() []EvidenceFile {
	var files []EvidenceFile
	for _, e := range d.Evidence() {
		files = append(files, EvidenceFile{e.FileName(), e.Member, encodeEvidence(e)})
	}
	for i := range d.t.n {
		member := messages.Index(i)
		proof := ask(d, func(core *detector.Detector) *messages.InvalidNewView {
			held, _ := core.NewViewRecord(member)
			return held
		})
		if proof != nil {
			files = append(files, EvidenceFile{proof.FileName(), member, encodeNewView(proof)})
		}
	}
	return files
}
