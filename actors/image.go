package actors

import (
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// image is the state after a checkpoint as it goes to disk once the checkpoint
// is stable: what changed since the one before.
type image struct {
	seq     messages.Seq
	digest  messages.Digest // what Checkpoint votes name
	head    messages.Digest
	total   uint64
	buckets map[int][]byte // client-table buckets written since
	app     *appImage
	clients [][]messages.Digest // the hashes of all parts of the client table
}

// Keys of the state store. The ledger's entries have a prefix of storage's own,
// those of the state itself are in parts.go.
var (
	keyHead   = []byte("head")   // seq 8 ‖ ledger head 32 ‖ vertices 8
	keyStable = []byte("stable") // a messages.StableRecord
	keyView   = []byte("view")   // see encodeViews; absent in view 0
)

// takeImage copies what a restart at this checkpoint needs. Creators whose
// nonces have all expired are forgotten first, on every replica alike. [X3, C1]
func (s *executedState) takeImage() (*image, error) {
	s.clients.Forget(s.seq)
	clients, changed := s.clients.Digest()
	im := &image{seq: s.seq, head: s.head, total: s.total, buckets: make(map[int][]byte, len(changed)), clients: s.clients.Hashes()}
	for _, i := range changed {
		im.buckets[i] = s.clients.EncodeBucket(i)
	}
	var failed error
	if err := recovered(func() { im.app, failed = takeApp(s.app, s.hashes, s.fresh) }); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, fmt.Errorf("snapshot of the application: %w", failed)
	}
	s.fresh = false
	im.digest = pbft.StateDigest(s.seq, s.head, s.total, im.app.digest, clients)
	return im, nil
}

// checkpoint takes an image of the state and has its digest voted for, if there
// is to be one after this sequence.
func (x *executor) checkpoint(c actor.Context, v *delivery) {
	if v.done.seq%x.t.cfg.Genesis.Params.CheckpointInterval != 0 {
		return
	}
	if err := x.takeImage(); err != nil {
		x.t.halt("the application's state could not be read")
		x.t.fail(err)
		return
	}
	im := x.images[len(x.images)-1]
	x.turn.reach(im.seq, x.t.cfg.Clock.Now())
	c.Send(x.t.links.journal, &report{im.seq})
	c.Send(x.t.links.sequencer, &checkpointReached{im.seq, im.digest})
}

// takeImage adds an image of the state to those that wait, unless it is there.
// It changes the state as well: the client table forgets, and begins to note
// anew what is written.
func (x *execution) takeImage() error {
	if n := len(x.images); n > 0 && x.images[n-1].seq == x.state.seq {
		return nil
	}
	x.changing = true
	im, err := x.state.takeImage()
	if err != nil {
		return err
	}
	if x.images = append(x.images, im); x.storing == nil { // else some are being read
		x.images = fold(x.images)
	}
	x.changing = false
	return nil
}

// imagesMax bounds the images that wait. While a replica votes there are two,
// those of the window; more come together only while it catches up, where the
// certificates are of checkpoints far ahead.
const imagesMax = 8

// fold merges the oldest images into the next ones when there are too many. The
// checkpoint it stood for can no longer become stable here by itself; a later
// one will.
func fold(images []*image) []*image {
	for ; len(images) > imagesMax; images = append([]*image(nil), images[1:]...) {
		old, next := images[0], images[1]
		for i, data := range old.buckets {
			if _, written := next.buckets[i]; !written {
				next.buckets[i] = data
			}
		}
		next.app.onto(old.app)
	}
	return images
}

// onStable takes a certificate for a state that was executed here.
func (x *executor) onStable(c actor.Context, stable pbft.StableCheckpoint) {
	if x.durable != nil && stable.Seq <= x.durable.Seq {
		c.Send(x.t.links.sequencer, &stableDurable{*x.durable}) // a sequencer that lost its memory asks
		return
	}
	switch {
	case x.storing != nil && stable.Seq <= x.storing.stable.Seq: // it is told when it is durable
		return
	case x.stable == nil || stable.Seq > x.stable.Seq && !x.snapshotDue(x.stable.Seq):
		x.stable = &stable
	case stable.Seq > x.stable.Seq && (x.later == nil || stable.Seq > x.later.Seq):
		x.later = &stable // the snapshot first
	}
	x.persist(c)
}

// persist has a stable checkpoint made durable once the batches and certificates
// below it are on disk, while it is known what of views belongs beside it, and when it
// is this replica's turn. [C3]
func (x *executor) persist(c actor.Context) {
	views := x.t.views.Load()
	if x.storing != nil || x.stable == nil || x.written < x.stable.Seq || len(x.images) == 0 || views == nil || !x.itsTurn(c, x.stable.Seq) {
		return
	}
	stable := *x.stable
	x.stable, x.later = x.later, nil
	at := slices.IndexFunc(x.images, func(im *image) bool { return im.seq == stable.Seq })
	if at < 0 {
		x.persist(c) // folded into a later one
		return
	}
	base, err := x.trimmedWith(stable.Seq)
	if err != nil {
		x.t.fail(err)
		return
	}
	x.storing = &storing{stable: stable, views: *views, images: x.images[: at+1 : at+1], base: base}
	c.Send(x.t.links.checkpointer, x.storing)
}

// onStored takes a checkpoint that is durable. Only now may the window move. What
// a panic interrupts is done again, for then it is written again. [C3]
func (x *executor) onStored(c actor.Context, seq messages.Seq) {
	if x.storing == nil || x.storing.stable.Seq != seq {
		return // written twice
	}
	stable := x.storing.stable
	x.durable = &stable
	x.snap(x.storing.image(), stable)
	x.forget(seq)
	x.t.ledger.stored(seq)
	x.t.ledger.vertices.stored(seq)
	c.Send(x.t.links.sequencer, &stableDurable{stable})
	c.Send(x.t.links.detector, &stableDurable{stable})
	x.t.hub.publish(messages.Checkpointed{Seq: seq, Digest: stable.Digest})
	if base := x.storing.base; base != nil {
		x.trimmed(*base)
	}
	c.Send(x.t.links.preparer, &releaseSegments{})
	x.t.log.Info().Uint64("seq", uint64(seq)).Stringer("digest", stable.Digest).Msg("checkpoint stable")
	x.storing = nil
	x.answer(c)
	x.persist(c) // another may wait
	x.onInstall(c)
}

// setStable writes a certificate, with what belongs beside it of views.
func setStable(b *storage.Batch, stable pbft.StableCheckpoint, views []byte) {
	record, err := messages.StableRecord{Seq: stable.Seq, Digest: stable.Digest, Certificate: stable.Bundles}.AppendTo(nil)
	if err != nil {
		panic(fmt.Sprintf("a verified certificate cannot be recorded: %v", err))
	}
	b.Set(keyStable, record)
	b.Set(keyView, views)
}

// write puts an image's changes into a batch of the state store.
func (im *image) write(b *storage.Batch, l *layout) {
	b.Set(keyHead, encodeHead(im.seq, im.head, im.total))
	im.app.write(b, l)
	for i, data := range im.buckets { // one key each: the order plays no role
		l.put(b, bucketOf{bucket: i}, data)
	}
}

func encodeHead(seq messages.Seq, head messages.Digest, total uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(seq))
	b = append(b, head[:]...)
	return binary.BigEndian.AppendUint64(b, total)
}

// decodeHead reads what encodeHead made.
func decodeHead(b []byte) (seq messages.Seq, head messages.Digest, total uint64, err error) {
	if len(b) != 8+32+8 {
		return 0, head, 0, fmt.Errorf("the head has %d bytes", len(b))
	}
	return messages.Seq(binary.BigEndian.Uint64(b)), messages.Digest(b[8:40]), binary.BigEndian.Uint64(b[40:]), nil
}

// recovered runs code of the application's and turns a panic into an error.
func recovered(f func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the application panicked: %v\n%s", p, debug.Stack())
		}
	}()
	f()
	return nil
}
