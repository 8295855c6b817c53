package kvstore

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Bounds of what is kept. They are the same on every replica.
const (
	// KeyBytesMax bounds a key, which is not empty.
	KeyBytesMax = 1 << 10
	// ValueBytesMax bounds a value; two of them fit a vertex.
	ValueBytesMax = 120 << 10
	// StateBytesMax bounds all keys and values together, each with entryBytes on
	// top. What would exceed it fails.
	StateBytesMax = 4 << 30
)

const (
	bucketCount = 1 << 12
	// entryBytes is what the store adds to a key and its value: lengths in the
	// encoding, a map's entry in memory.
	entryBytes = 64
)

// store keeps keys in buckets by their hash. Values are strings because results
// and snapshots share them.
type store struct {
	buckets [bucketCount]bucket
	bytes   int64 // see StateBytesMax
}

type bucket struct {
	values  map[string]string
	keys    []string        // ascending; nil when they are to be gathered again
	encoded []byte          // kept from hashing a changed bucket to taking it
	digest  messages.Digest // zero of an empty bucket
	dirty   bool            // written since it was hashed
	changed bool            // written since Changed listed it
}

func bucketOf(key string) int {
	sum := sha256.Sum256([]byte(key))
	return int(binary.BigEndian.Uint16(sum[:])) % bucketCount
}

func (s *store) get(key string) (string, bool) { return s.getIn(bucketOf(key), key) }

// getIn is get for who knows the bucket: finding it costs more than the rest.
func (s *store) getIn(bucket int, key string) (string, bool) {
	value, ok := s.buckets[bucket].values[key]
	return value, ok
}

// set writes a key, or removes it.
func (s *store) set(key string, w write) {
	b := &s.buckets[w.bucket]
	before, had := b.values[key]
	if had {
		s.bytes -= size(key, before)
	}
	switch {
	case !w.deleted:
		if b.values == nil {
			b.values = make(map[string]string)
		}
		b.values[key] = w.value
		s.bytes += size(key, w.value)
	case had:
		delete(b.values, key)
	default:
		return
	}
	if had == w.deleted {
		b.keys = nil // one more or one less
	}
	b.dirty, b.changed, b.encoded = true, true, nil
}

func size(key, value string) int64 { return int64(len(key) + len(value) + entryBytes) }

// digest is the root over the buckets' hashes, of which those of buckets written
// since are made again.
func (s *store) digest(results messages.Digest) (root messages.Digest) {
	h := sha256.New()
	h.Write([]byte("cretoai-consensus/v1/kvstore\x00"))
	h.Write(results[:])
	for i := range s.buckets {
		b := &s.buckets[i]
		if b.dirty {
			b.dirty, b.digest = false, messages.Digest{}
			if len(b.values) > 0 {
				b.encoded = b.encode()
				b.digest = sha256.Sum256(b.encoded)
			}
		}
		h.Write(b.digest[:])
	}
	h.Sum(root[:0])
	return root
}

// encode gives a bucket's fixed layout: for each key, ascending, key bytes 2 ‖
// value bytes 4 ‖ key ‖ value, big-endian.
func (b *bucket) encode() []byte {
	n := 0
	for key, value := range b.values {
		n += 2 + 4 + len(key) + len(value)
	}
	if b.keys == nil {
		b.keys = slices.Sorted(maps.Keys(b.values))
	}
	out := make([]byte, 0, n)
	for _, key := range b.keys {
		value := b.values[key]
		out = binary.BigEndian.AppendUint16(out, uint16(len(key)))
		out = binary.BigEndian.AppendUint32(out, uint32(len(value)))
		out = append(append(out, key...), value...)
	}
	return out
}

// take gives a bucket's encoding away.
func (b *bucket) take() []byte {
	out := b.encoded
	if b.encoded = nil; out == nil {
		out = b.encode()
	}
	return out
}

// restore fills an empty bucket with what encode made.
func (s *store) restore(i int, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	before := ""
	for len(data) > 0 {
		if len(data) < 2+4 {
			return errors.New("an entry is cut off")
		}
		keyBytes, valueBytes := int(binary.BigEndian.Uint16(data)), int(binary.BigEndian.Uint32(data[2:]))
		data = data[2+4:]
		if keyBytes > len(data) || valueBytes > len(data)-keyBytes {
			return errors.New("an entry is cut off")
		}
		key := string(data[:keyBytes])
		switch {
		case keyBytes == 0 || keyBytes > KeyBytesMax || valueBytes > ValueBytesMax:
			return fmt.Errorf("a key of %d bytes with a value of %d", keyBytes, valueBytes)
		case key <= before:
			return errors.New("keys out of order")
		case bucketOf(key) != i:
			return fmt.Errorf("a key of bucket %d", bucketOf(key))
		}
		before = key
		s.set(key, write{value: string(data[keyBytes : keyBytes+valueBytes]), bucket: i})
		data = data[keyBytes+valueBytes:]
	}
	s.buckets[i].changed = false
	return nil
}
