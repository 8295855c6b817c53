package messages

import "testing"

// A batch of 1000 vertices with payloads of 128 bytes: what a leader does with it
// once, and what each backup does.
func BenchmarkBuildBatch(b *testing.B) {
	vertices, hashes := someVertices(b, 1000, 128)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := BuildBatch(vertices, hashes, widest); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseBatch(b *testing.B) {
	batch := buildBatch(b, 1000, 128)
	b.SetBytes(int64(len(batch.Bytes())))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseBatch(batch.Bytes(), widest); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTreeRoot(b *testing.B) {
	l := leaves(1000)
	b.ReportAllocs()
	for b.Loop() {
		TreeRoot(l)
	}
}
