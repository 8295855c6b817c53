package messages

import "math"

// This file is the fields of each kind, in the order in which they travel, the
// writing beside the reading. size is an upper bound: a number takes at most
// numberBytesMax, a digest digestBytes, the header of a list or byte string
// headBytesMax.
const (
	numberBytesMax = 9
	digestBytes    = 2 + len(Digest{})
	headBytesMax   = 5
)

func (m *Hello) size() int { return digestBytes + 2 + len(m.Instance) + headBytesMax + len(m.Software) }

func (m *Hello) encodeFields(w *frameWriter) {
	w.digest(m.Genesis)
	w.bin(m.Instance[:])
	w.text(m.Software)
}

func (m *Hello) decodeFields(r *frameReader) {
	m.Genesis = r.digest()
	r.fixed(m.Instance[:])
	m.Software = r.text(SoftwareBytesMax)
}

func (m *Refusal) size() int { return headBytesMax + len(m.Reason) + digestBytes }

func (m *Refusal) encodeFields(w *frameWriter) {
	w.text(m.Reason)
	w.digest(m.Genesis)
}

func (m *Refusal) decodeFields(r *frameReader) {
	m.Reason = r.text(ReasonBytesMax)
	m.Genesis = r.digest()
}

// What an element of a Status's lists takes at least and at most.
const (
	checkpointHeldBytesMin = 1 + 2
	checkpointHeldBytesMax = 1 + 2*numberBytesMax
	slotHeldBytesMin       = 1 + 5
	slotHeldBytesMax       = 1 + 4*numberBytesMax + 1
)

func (m *Status) size() int {
	return 6*numberBytesMax + 1 + 2*digestBytes + 2*headBytesMax +
		len(m.Checkpoints)*checkpointHeldBytesMax + len(m.Slots)*slotHeldBytesMax
}

func (m *Status) encodeFields(w *frameWriter) {
	w.uint(uint64(m.View))
	w.bool(m.Active)
	w.uint(uint64(m.Suspects))
	w.uint(uint64(m.Suspicion))
	w.uint(uint64(m.Low))
	w.digest(m.LowDigest)
	w.uint(uint64(m.Executed))
	w.digest(m.LedgerHead)
	w.uint(m.ViewChanges)
	w.array(len(m.Checkpoints))
	for _, c := range m.Checkpoints {
		w.array(2)
		w.uint(uint64(c.Seq))
		w.uint(c.Members)
	}
	w.array(len(m.Slots))
	for _, s := range m.Slots {
		w.array(5)
		w.uint(uint64(s.Seq))
		w.uint(s.Digest8)
		w.bool(s.HasBatch)
		w.uint(s.Prepares)
		w.uint(s.Commits)
	}
}

func (m *Status) decodeFields(r *frameReader) {
	m.View = View(r.uint())
	m.Active = r.bool()
	m.Suspects = View(r.uint())
	m.Suspicion = Suspicion(r.uintMax(math.MaxUint8))
	m.Low = Seq(r.uint())
	m.LowDigest = r.digest()
	m.Executed = Seq(r.uint())
	m.LedgerHead = r.digest()
	m.ViewChanges = r.uint()
	if n := r.list(StatusCheckpointsMax, checkpointHeldBytesMin); n > 0 {
		m.Checkpoints = make([]CheckpointHeld, n)
	}
	for i := range m.Checkpoints {
		r.tuple(2)
		m.Checkpoints[i] = CheckpointHeld{Seq: Seq(r.uint()), Members: r.uint()}
	}
	if n := r.list(WindowMax, slotHeldBytesMin); n > 0 {
		m.Slots = make([]SlotHeld, n)
	}
	for i := range m.Slots {
		r.tuple(5)
		m.Slots[i] = SlotHeld{
			Seq:      Seq(r.uint()),
			Digest8:  r.uint(),
			HasBatch: r.bool(),
			Prepares: r.uint(),
			Commits:  r.uint(),
		}
	}
}

func (m *Bundles) size() int                   { return headBytesMax + bundlesSize(m.Bundles) }
func (m *Bundles) encodeFields(w *frameWriter) { w.bundles(m.Bundles) }
func (m *Bundles) decodeFields(r *frameReader) { m.Bundles = r.bundles(FrameBundlesMax) }

func (m *BatchBody) size() int                   { return headBytesMax + len(m.Body) }
func (m *BatchBody) encodeFields(w *frameWriter) { w.bin(m.Body) }
func (m *BatchBody) decodeFields(r *frameReader) { m.Body = r.bin(BatchBytesMax) }

func (m *Forward) size() int {
	return 2*headBytesMax + len(m.Vertices) + len(m.Authorisation) + 1 + numberBytesMax
}

func (m *Forward) encodeFields(w *frameWriter) {
	w.bin(m.Vertices)
	w.bin(m.Authorisation)
	w.bool(m.Again)
	w.uint(uint64(m.Executed))
}

func (m *Forward) decodeFields(r *frameReader) {
	m.Vertices = r.bin(BatchBytesMax)
	if b := r.bin(BatchBytesMax); len(b) > 0 {
		m.Authorisation = b
	}
	m.Again = r.bool()
	m.Executed = Seq(r.uint())
}

func (m *FetchBatch) size() int { return headBytesMax + len(m.Digests)*digestBytes }

func (m *FetchBatch) encodeFields(w *frameWriter) {
	w.array(len(m.Digests))
	for _, d := range m.Digests {
		w.digest(d)
	}
}

func (m *FetchBatch) decodeFields(r *frameReader) {
	if n := r.list(FetchBatchMax, digestBytes); n > 0 {
		m.Digests = make([]Digest, n)
	}
	for i := range m.Digests {
		m.Digests[i] = r.digest()
	}
}

func (m *FetchDecided) size() int { return 2 * numberBytesMax }

func (m *FetchDecided) encodeFields(w *frameWriter) {
	w.uint(uint64(m.From))
	w.uint(uint64(m.To))
}

func (m *FetchDecided) decodeFields(r *frameReader) {
	m.From = Seq(r.uint())
	m.To = Seq(r.uint())
}

func (m *Decided) size() int {
	return 2*numberBytesMax + digestBytes + 2*headBytesMax + bundlesSize(m.Certificate) + len(m.Body)
}

func (m *Decided) encodeFields(w *frameWriter) {
	w.uint(uint64(m.View))
	w.uint(uint64(m.Seq))
	w.digest(m.Digest)
	w.bundles(m.Certificate)
	w.bin(m.Body)
}

func (m *Decided) decodeFields(r *frameReader) {
	m.View = View(r.uint())
	m.Seq = Seq(r.uint())
	m.Digest = r.digest()
	m.Certificate = r.certificate()
	m.Body = r.bin(BatchBytesMax)
}

func (m *StableCheckpoint) size() int {
	return numberBytesMax + digestBytes + headBytesMax + bundlesSize(m.Certificate)
}

func (m *StableCheckpoint) encodeFields(w *frameWriter) {
	w.uint(uint64(m.Seq))
	w.digest(m.Digest)
	w.bundles(m.Certificate)
}

func (m *StableCheckpoint) decodeFields(r *frameReader) {
	m.Seq = Seq(r.uint())
	m.Digest = r.digest()
	m.Certificate = r.certificate()
}

// A bundle travels as [epoch, from, votes, signature], its votes as one byte
// string of VoteBytes each: array, two numbers, two heads, the rest.
const (
	bundleBytesMin      = 1 + 1 + 1 + 2 + VoteBytes + 2 + 1
	bundleFrameBytesMax = 1 + numberBytesMax + 3 + 3 + 3
)

// bundlesSize is an upper bound of what bundles take in a frame, their list's
// head apart. It is what CertificateBytesMax bounds.
func bundlesSize(bundles []*Bundle) int {
	size := 0
	for _, b := range bundles {
		size += bundleFrameSize(b)
	}
	return size
}

func bundleFrameSize(b *Bundle) int {
	return bundleFrameBytesMax + len(b.Votes)*VoteBytes + len(b.Signature)
}

func (w *frameWriter) bundles(bundles []*Bundle) {
	w.array(len(bundles))
	for _, b := range bundles {
		w.bundle(b)
	}
}

func (w *frameWriter) bundle(b *Bundle) {
	w.array(4)
	w.uint(uint64(b.Epoch))
	w.uint(uint64(b.From))
	w.binLen(len(b.Votes) * VoteBytes)
	for _, v := range b.Votes {
		w.buf = v.AppendTo(w.buf)
	}
	w.bin(b.Signature)
}

func (r *frameReader) bundles(limit int) []*Bundle {
	n := r.list(limit, bundleBytesMin)
	if n == 0 {
		return nil
	}
	bundles := make([]*Bundle, 0, n)
	for range n {
		b := r.bundle()
		if r.err != nil {
			return nil
		}
		bundles = append(bundles, b)
	}
	return bundles
}

func (r *frameReader) certificate() []*Bundle { return r.bundles(CertificateBundlesMax) }

func (r *frameReader) bundle() *Bundle {
	b := new(Bundle)
	r.tuple(4)
	b.Epoch = Epoch(r.uint())
	b.From = Index(r.uintMax(math.MaxUint16))
	b.Votes = r.votes()
	b.Signature = r.bin(SignatureBytesMax)
	return b
}

func (r *frameReader) votes() []Vote {
	b := r.bin(BundleVotesMax * VoteBytes)
	if len(b)%VoteBytes != 0 {
		r.fail("%d bytes are no whole number of votes", len(b))
	}
	if r.err != nil || len(b) == 0 {
		return nil
	}
	votes := make([]Vote, len(b)/VoteBytes)
	for i := range votes {
		v, err := ParseVote(b[i*VoteBytes : (i+1)*VoteBytes])
		if err != nil {
			r.fail("vote %d: %w", i, err)
			return nil
		}
		votes[i] = v
	}
	return votes
}
