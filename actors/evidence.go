package actors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/detector"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/storage"
)

// What becomes of evidence: a record in the state store, a file, one message to
// every peer. There is at most one record for each epoch, member and kind of
// vote; a pardon is kept beside them. [E9]
var (
	keyEvidence = []byte("evidence/") // + epoch 8 ‖ member 2 ‖ kind 1: forgiven 1 ‖ the file
	keyPardon   = []byte("pardon/")   // + epoch 8 ‖ member 2: the stable checkpoint 8
)

func epochKey(prefix []byte, epoch messages.Epoch) []byte {
	return binary.BigEndian.AppendUint64(bytes.Clone(prefix), uint64(epoch))
}

func pardonKey(epoch messages.Epoch, member messages.Index) []byte {
	return binary.BigEndian.AppendUint16(epochKey(keyPardon, epoch), uint16(member))
}

func evidenceKey(epoch messages.Epoch, member messages.Index, kind messages.Kind) []byte {
	key := binary.BigEndian.AppendUint16(epochKey(keyEvidence, epoch), uint16(member))
	return append(key, byte(kind))
}

// forgivenByte begins a record.
func forgivenByte(forgiven bool) []byte {
	if forgiven {
		return []byte{1}
	}
	return []byte{0}
}

// encodeEvidence makes the frame, which is what is stored and exported.
func encodeEvidence(e *messages.Evidence) []byte {
	frame, err := messages.EncodeFrame(e)
	if err != nil {
		panic(fmt.Sprintf("proof that cannot travel: %v", err))
	}
	return frame
}

func putEvidence(b *storage.Batch, e *messages.Evidence, forgiven bool) {
	b.Set(evidenceKey(e.Epoch(), e.Member, e.Kind), append(forgivenByte(forgiven), encodeEvidence(e)...))
}

// convicted makes new evidence durable, and only then tells: every peer once,
// whoever found it, and embedders.
func (a *detectorActor) convicted(c actor.Context, e detector.Evidence) {
	m := e.Message()
	batch := a.t.cfg.State.NewBatch()
	putEvidence(batch, m, false)
	if err := batch.Commit(true); err != nil {
		a.t.fail(fmt.Errorf("write evidence: %w", err))
		return
	}
	a.t.log.Warn().Int("peer", int(e.Member)).Stringer("kind", e.Kind).Uint64("view", uint64(e.View)).Uint64("seq", uint64(e.Seq)).
		Str("digest1", e.Digests[0].Hex()).Str("digest2", e.Digests[1].Hex()).Str("file", m.FileName()).
		Msg("member convicted: it signed two digests for one place")
	if e.Member == a.t.cfg.Self {
		a.t.convictedItself(m.Vote(0), m.Vote(1))
	}
	a.t.exportFile(m.FileName(), encodeEvidence(m))
	c.Send(a.t.links.egress, &broadcast{cluster.LaneViewChange, m})
	a.t.hub.publish(messages.EvidenceFound{Evidence: m})
}

// tellAll sends a member whose channel came up what is held against others: it may
// have been away when that was told. What it knows it drops unjudged, and nobody is
// told of pardons. [E9]
func (a *detectorActor) tellAll(c actor.Context, to messages.Index) {
	var held []messages.Message
	ask(a.t.detector, func(core *detector.Detector) bool {
		for i := range a.t.n {
			for _, r := range core.Records(messages.Index(i)) {
				if !r.Forgiven {
					held = append(held, r.Message())
				}
			}
			if proof, forgiven := core.NewViewRecord(messages.Index(i)); proof != nil && !forgiven {
				held = append(held, travelling(proof))
			}
		}
		return true
	})
	for _, m := range held {
		c.Send(a.t.links.egress, &send{to, cluster.LaneViewChange, m})
	}
}

// lift pardons a member, durably.
func (a *detectorActor) lift(m *lift) {
	var changes detector.Bans
	batch := a.t.cfg.State.NewBatch()
	ask(a.t.detector, func(core *detector.Detector) bool {
		changes = core.Lift(m.member)
		for _, r := range core.Records(m.member) {
			putEvidence(batch, r.Message(), r.Forgiven)
		}
		if proof, forgiven := core.NewViewRecord(m.member); proof != nil {
			putNewView(batch, proof, forgiven)
		}
		low := binary.BigEndian.AppendUint64(nil, uint64(core.Pardoned(m.member)))
		batch.Set(pardonKey(a.t.cfg.Keyring.Epoch(), m.member), low)
		return true
	})
	if err := batch.Commit(true); err != nil {
		a.t.fail(fmt.Errorf("write a pardon: %w", err))
		m.done <- err
		return
	}
	a.t.log.Warn().Int("peer", int(m.member)).Msg("an operator pardoned the member")
	a.bans(changes)
	m.done <- nil
}

// exportFile hands evidence out as a file. The state store holds it, whatever
// becomes of the file.
func (t *Tree) exportFile(name string, data []byte) {
	if t.cfg.Export == nil {
		return
	}
	if err := t.cfg.Export(name, data); err != nil {
		t.log.Error().Err(err).Str("file", name).Msg("evidence could not be written to a file")
	}
}

// recoverEvidence convicts again whoever was convicted before the restart, and
// hands out the files that are missing. Each record is judged anew. [E9]
func (t *Tree) recoverEvidence() error {
	if !t.cfg.Detection {
		return nil
	}
	epoch := t.cfg.Keyring.Epoch()
	for i := range t.n {
		member := messages.Index(i)
		low, err := t.cfg.State.Get(pardonKey(epoch, member))
		switch {
		case errors.Is(err, storage.ErrNotFound):
			continue
		case err != nil:
			return fmt.Errorf("read pardons: %w", err)
		case len(low) != 8:
			return fmt.Errorf("the pardon of member %d has %d bytes", member, len(low))
		}
		t.detector.core.RecallPardon(member, messages.Seq(binary.BigEndian.Uint64(low)))
	}
	return t.cfg.State.Prefix(epochKey(keyEvidence, epoch), func(_, value []byte) error {
		if err := t.recoverRecord(bytes.Clone(value)); err != nil {
			return fmt.Errorf("evidence in the state store: %w", err)
		}
		return nil
	})
}

func (t *Tree) recoverRecord(value []byte) error {
	if len(value) == 0 || value[0] > 1 {
		return errors.New("no record of this release")
	}
	if messages.IsInvalidNewView(value[1:]) {
		return t.recallNewView(value[1:], value[0] == 1)
	}
	m, err := messages.DecodeFrame(value[1:])
	if err != nil {
		return err
	}
	e, ok := m.(*messages.Evidence)
	if !ok {
		return fmt.Errorf("a frame of kind %v", m.FrameKind())
	}
	proven, err := detector.Judge(t.cfg.Keyring, detector.EvidenceOf(e))
	if err != nil {
		return err
	}
	t.detector.core.Recall(proven, value[0] == 1)
	t.exportFile(e.FileName(), value[1:])
	return nil
}

// evidence judges what a peer tells of a member. Known evidence costs nothing;
// what proves nothing is charged to the peer that sent it, who was obliged to
// judge it, too. [E1, E9, E12]
func (s *signer) evidence(c actor.Context, from messages.Index, m *messages.Evidence) {
	e := detector.EvidenceOf(m)
	if !s.t.detector.wants(e) {
		s.t.cfg.Metrics.Dropped("duplicate", 1)
		return
	}
	for _, b := range m.Bundles { // kept, while its frame need not be
		b.Signature = bytes.Clone(b.Signature)
	}
	proven, err := detector.Judge(s.t.cfg.Keyring, e)
	var bad *crypto.BundleError
	switch {
	case err == nil:
		c.Send(s.t.links.detector, &evidenceArrived{proven})
	case errors.As(err, &bad) && bad.Reason == crypto.NotAMember:
		s.reject(c, from, sentMalformed, "not a member", err)
	default:
		s.rejectBundle(c, from, err)
	}
}
