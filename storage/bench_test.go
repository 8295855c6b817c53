package storage

import (
	"testing"
)

func benchJournal(b *testing.B) *Journal {
	b.Helper()
	j, err := OpenJournal(b.TempDir()+"/journal", Identity{}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { j.Close() })
	return j
}

// BenchmarkAppendGroup is on the real disk, with fdatasync; segments are
// prepared beside the clock.
func BenchmarkAppendGroup(b *testing.B) {
	votes := make([]Record, 10)
	for i := range votes {
		votes[i] = Record{Kind: 2, Seq: uint64(i + 1), Data: make([]byte, 49)}
	}
	for _, c := range []struct {
		name    string
		records []Record
	}{
		{"10 votes of 49 B", votes},
		{"a batch of 200 kB and a vote", []Record{{Kind: 1, Seq: 1, Data: make([]byte, 200_000)}, votes[0]}},
	} {
		b.Run(c.name, func(b *testing.B) {
			j := benchJournal(b)
			b.SetBytes(frameBytes(c.records))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := j.AppendGroup(c.records); err != nil {
					b.Fatal(err)
				}
				if j.NeedsPrepare() {
					b.StopTimer()
					if segments := j.Segments(); len(segments) > 0 {
						if err := j.Release(segments[len(segments)-1].ID); err != nil {
							b.Fatal(err)
						}
					}
					if err := j.PrepareNext(); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	j := benchJournal(b)
	places, err := j.AppendGroup([]Record{{Kind: 1, Seq: 1, Data: make([]byte, 200_000)}})
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 256<<10)
	b.SetBytes(200_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := j.Read(places[0], buf); err != nil {
			b.Fatal(err)
		}
	}
}
