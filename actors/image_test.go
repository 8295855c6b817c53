package actors

import (
	"testing"

	"github.com/cretoai/consensus/messages"
)

// Folding keeps, for every bucket, the newest bytes: what is written for a
// later checkpoint must be the whole change since the last stable one.
func TestFoldedImagesKeepTheNewestBuckets(t *testing.T) {
	var images []*image
	for i := range imagesMax + 3 {
		im := &image{seq: messages.Seq(i + 1), buckets: map[int][]byte{i: {byte(i)}, 100: {byte(i)}}}
		im.app = &appImage{buckets: map[int][]byte{i: {byte(i)}, 100: {byte(i)}}}
		images = fold(append(images, im))
	}
	if len(images) != imagesMax || images[0].seq != 4 {
		t.Fatalf("%d images from sequence %d on", len(images), images[0].seq)
	}
	for i := range 4 { // those of the images folded away, and the own one
		if got := images[0].buckets[i]; len(got) != 1 || got[0] != byte(i) {
			t.Errorf("bucket %d holds %v", i, got)
		}
		if got := images[0].app.buckets[i]; len(got) != 1 || got[0] != byte(i) {
			t.Errorf("the application's bucket %d holds %v", i, got)
		}
	}
	if got := images[0].app.buckets[100]; got[0] != 3 {
		t.Errorf("the application's bucket 100 holds %v, want the newest", got)
	}
	if got := images[0].buckets[100]; got[0] != 3 {
		t.Errorf("bucket 100 holds %v, want the newest", got)
	}
}
