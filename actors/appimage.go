package actors

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// appImage is the application's part of an image: of a Bucketed one what was
// written since the checkpoint before, of another its whole snapshot as bucket 0.
// An empty bucket was emptied.
type appImage struct {
	digest  messages.Digest // what stands for it in the state digest
	parts   [][]messages.Digest
	buckets map[int][]byte
}

// appHashes are the hashes of a Bucketed application's parts, kept up to date
// from checkpoint to checkpoint; nil of another.
type appHashes [][]messages.Digest

// takeApp takes what was written, and hashes it. The first time that is all there
// is: an application may come to the replica with a state, and after a restore of
// it no bucket counts as written. [C1]
func takeApp(app StateMachine, hashes appHashes, first bool) (*appImage, error) {
	b, ok := app.(Bucketed)
	if !ok {
		var snapshot bytes.Buffer
		err := app.Snapshot(&snapshot)
		whole := snapshot.Bytes()
		return &appImage{
			digest: pbft.PieceDigest(app.Digest()), parts: [][]messages.Digest{pbft.HashParts(whole)},
			buckets: map[int][]byte{0: whole},
		}, err
	}
	changed := b.Changed()
	if first {
		changed = make([]int, b.Buckets())
		for i := range changed {
			changed[i] = i
		}
	}
	im := &appImage{buckets: make(map[int][]byte, len(changed))}
	for _, i := range changed {
		data := b.Bucket(i)
		hashes[i] = pbft.HashParts(data)
		if len(data) > 0 || !first {
			im.buckets[i] = data
		}
	}
	im.digest, im.parts = pbft.BucketsDigest(hashes), append([][]messages.Digest(nil), hashes...)
	return im, nil
}

// onto makes the image that of both checkpoints, of which old is the earlier.
func (a *appImage) onto(old *appImage) {
	if old == nil {
		return
	}
	for i, data := range old.buckets {
		if _, written := a.buckets[i]; !written {
			a.buckets[i] = data
		}
	}
}

func (a *appImage) write(b *storage.Batch, l *layout) {
	for i, data := range a.buckets { // one key each: the order plays no role
		l.put(b, bucketOf{app: true, bucket: i}, data)
	}
}

// bucketsOf is the number of an application's buckets, 0 if its state is one
// piece.
func bucketsOf(app StateMachine) int {
	if b, ok := app.(Bucketed); ok {
		return b.Buckets()
	}
	return 0
}

// checkBuckets refuses an application that no snapshot could hold.
func checkBuckets(app StateMachine) error {
	if n, limit := bucketsOf(app), messages.SnapshotBucketsMax-pbft.NewClients(64).Buckets(); n > limit {
		return fmt.Errorf("the application has %d buckets, at most %d are possible", n, limit)
	}
	return nil
}

// errRefused ends reading for an application that knows why.
var errRefused = errors.New("the application wants no more")

// loadApp restores the application from the store.
func loadApp(store *storage.State, l *layout, app StateMachine) error {
	b, ok := app.(Bucketed)
	if !ok {
		var whole []byte
		err := l.read(store, true, func(_ int, data []byte) error {
			whole = data
			return nil
		})
		if err != nil {
			return err
		}
		return app.Restore(bytes.NewReader(whole))
	}
	var failed error
	err := b.RestoreBuckets(func(yield func(int, []byte) bool) {
		failed = l.read(store, true, func(i int, data []byte) error {
			if !yield(i, data) {
				return errRefused
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return failed
}

// hashApp hashes the application as it is, every bucket anew.
func hashApp(app StateMachine) (appHashes, messages.Digest) {
	b, ok := app.(Bucketed)
	if !ok {
		return nil, pbft.PieceDigest(app.Digest())
	}
	hashes := make(appHashes, b.Buckets())
	for i := range hashes {
		hashes[i] = pbft.HashParts(b.Bucket(i))
	}
	return hashes, pbft.BucketsDigest(hashes)
}
