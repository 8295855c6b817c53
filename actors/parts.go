package actors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// The client table and the application lie in the state store in buckets, and a
// bucket in parts as they travel. There is room for two states: the one in force,
// and one on its way here by state transfer, which is put in force by naming its
// generation, without being written twice.

var (
	keyPart       = []byte("part/")      // + generation 1 ‖ section 1 ‖ bucket 4 ‖ number 4
	keyGeneration = []byte("generation") // 1 byte; absent is 0
)

const (
	sectionClients = 0
	sectionApp     = 1

	partKeyBytes = len("part/") + 1 + 1 + 4 + 4
)

func generationPrefix(gen byte) []byte { return append(bytes.Clone(keyPart), gen) }

func sectionPrefix(gen byte, app bool) []byte {
	section := byte(sectionClients)
	if app {
		section = sectionApp
	}
	return append(generationPrefix(gen), section)
}

func partKey(gen byte, p pbft.Part) []byte {
	key := binary.BigEndian.AppendUint32(sectionPrefix(gen, p.App), p.Bucket)
	return binary.BigEndian.AppendUint32(key, p.Number)
}

// parsePartKey reads what partKey made.
func parsePartKey(key []byte) (pbft.Part, error) {
	if len(key) != partKeyBytes || key[len(keyPart)+1] > sectionApp {
		return pbft.Part{}, fmt.Errorf("a part of the state at the key %x", key)
	}
	rest := key[len(keyPart)+1:]
	return pbft.Part{App: rest[0] == sectionApp, Bucket: binary.BigEndian.Uint32(rest[1:]), Number: binary.BigEndian.Uint32(rest[5:])}, nil
}

// layout is where the state in force lies in the store.
type layout struct {
	gen byte
	// many are the buckets of more than one part, with their number.
	many map[bucketOf]int
}

type bucketOf struct {
	app    bool
	bucket int
}

// put writes a bucket, in place of what it was.
func (l *layout) put(b *storage.Batch, of bucketOf, data []byte) {
	part := pbft.Part{App: of.app, Bucket: uint32(of.bucket)}
	parts := pbft.SplitParts(data)
	for i, p := range parts {
		part.Number = uint32(i)
		b.Set(partKey(l.gen, part), p)
	}
	before := max(l.many[of], 1)
	for i := len(parts); i < before; i++ {
		part.Number = uint32(i)
		b.Delete(partKey(l.gen, part))
	}
	l.note(of, len(parts))
}

func (l *layout) note(of bucketOf, parts int) {
	if parts > 1 {
		l.many[of] = parts
	} else {
		delete(l.many, of)
	}
}

// readGeneration says which of the two states is in force.
func readGeneration(store *storage.State) (byte, error) {
	value, err := store.Get(keyGeneration)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read which state is in force: %w", err)
	case len(value) != 1 || value[0] > 1:
		return 0, fmt.Errorf("no state has the generation %x", value)
	}
	return value[0], nil
}

// other is the generation that is not in force.
func (l *layout) other() byte { return 1 - l.gen }

// read gives the buckets of a section, ascending, each whole. An error of visit
// ends it.
func (l *layout) read(store *storage.State, app bool, visit func(bucket int, data []byte) error) error {
	var whole []byte
	at, parts := -1, 0
	flush := func() error {
		if at < 0 {
			return nil
		}
		l.note(bucketOf{app, at}, parts)
		return visit(at, whole)
	}
	err := store.Prefix(sectionPrefix(l.gen, app), func(key, value []byte) error {
		p, err := parsePartKey(key)
		if err != nil {
			return err
		}
		if int(p.Bucket) != at {
			if err := flush(); err != nil {
				return err
			}
			at, parts, whole = int(p.Bucket), 0, whole[:0]
		}
		if int(p.Number) != parts {
			return fmt.Errorf("bucket %d lacks its part %d", p.Bucket, parts)
		}
		parts++
		whole = append(whole, value...)
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

func newLayout(gen byte) *layout { return &layout{gen: gen, many: make(map[bucketOf]int)} }
