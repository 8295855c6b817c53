package actors

import (
	"bytes"
	"encoding/binary"

	"github.com/cretoai/consensus/storage"
)

// appImage is the application's part of an image: its whole snapshot, or of a
// Bucketed one what was written since the checkpoint before.
type appImage struct {
	whole   []byte
	buckets map[int][]byte // nil if there is a whole; an empty bucket was emptied
}

func takeApp(app StateMachine) (*appImage, error) {
	b, ok := app.(Bucketed)
	if !ok {
		var snapshot bytes.Buffer
		err := app.Snapshot(&snapshot)
		return &appImage{whole: snapshot.Bytes()}, err
	}
	changed := b.Changed()
	im := &appImage{buckets: make(map[int][]byte, len(changed))}
	for _, i := range changed {
		im.buckets[i] = b.Bucket(i)
	}
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

func appKey(i int) []byte { return binary.BigEndian.AppendUint32(bytes.Clone(keyAppOf), uint32(i)) }

func (a *appImage) write(b *storage.Batch) {
	if a.buckets == nil {
		b.Set(keyApp, a.whole)
		return
	}
	for i, data := range a.buckets { // one key each: the order plays no role
		if len(data) == 0 {
			b.Delete(appKey(i))
		} else {
			b.Set(appKey(i), data)
		}
	}
}
