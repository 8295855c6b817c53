package messages

import "errors"

// What a member asks that has nothing on its disk and cannot know whether it
// never had, and the answer. Like all that the channel alone vouches for, an
// answer may be a lie: whoever asks waits for as many answers as show one.

// Recall asks what is remembered of the sender. Instance is that of its Hello: an
// answer to an earlier life of the sender is none to this one.
type Recall struct{ Instance [16]byte }

// Recalled answers a Recall.
type Recalled struct {
	Instance [16]byte // of the question
	// Executed is the last sequence the answering member has executed.
	Executed Seq
	// View is the highest view it knows the asking member to have been in or to
	// have voted in.
	View View
	// Nothing says that no vote of the asking member was heard here, and that the
	// answering member has never voted.
	Nothing bool
}

// FrameKind implements Message.
func (*Recall) FrameKind() FrameKind { return FrameRecall }

// FrameKind implements Message.
func (*Recalled) FrameKind() FrameKind { return FrameRecalled }

// Validate implements Message.
func (m *Recall) Validate() error { return checkInstance(m.Instance) }

// Validate implements Message.
func (m *Recalled) Validate() error { return checkInstance(m.Instance) }

func checkInstance(i [16]byte) error {
	if i == [16]byte{} {
		return errors.New("the question, and its answer, name the instance that asks")
	}
	return nil
}

func (m *Recall) size() int { return headBytesMax + len(m.Instance) }

func (m *Recall) encodeFields(w *frameWriter) { w.bin(m.Instance[:]) }

func (m *Recall) decodeFields(r *frameReader) { r.fixed(m.Instance[:]) }

func (m *Recalled) size() int { return headBytesMax + len(m.Instance) + 3*numberBytesMax }

func (m *Recalled) encodeFields(w *frameWriter) {
	w.bin(m.Instance[:])
	w.uint(uint64(m.Executed))
	w.uint(uint64(m.View))
	w.bool(m.Nothing)
}

func (m *Recalled) decodeFields(r *frameReader) {
	r.fixed(m.Instance[:])
	m.Executed = Seq(r.uint())
	m.View = View(r.uint())
	m.Nothing = r.bool()
}
