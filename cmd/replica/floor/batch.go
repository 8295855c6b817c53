package floor

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/cretoai/consensus/messages"
)

// batch is a batch's bytes and where its vertices begin.
type batch struct {
	bytes   []byte
	offsets []uint32 // of every vertex, and of the end
	digest  messages.Digest
}

var noAuthorisation = messages.Digest(sha256.Sum256(nil))

// buildBatch makes the bytes a replica's leader would make of hashed vertices.
func buildBatch(vertices []vertex) *batch {
	size := messages.BatchHeaderBytes
	for i := range vertices {
		size += len(vertices[i].bytes)
	}
	b := &batch{bytes: make([]byte, messages.BatchHeaderBytes, size), offsets: make([]uint32, 0, len(vertices)+1)}
	hashes := make([]messages.Digest, len(vertices))
	for i := range vertices {
		b.offsets = append(b.offsets, uint32(len(b.bytes)))
		b.bytes = append(b.bytes, vertices[i].bytes...)
		hashes[i] = vertices[i].hash
	}
	b.offsets = append(b.offsets, uint32(size))
	b.bytes[0] = messages.BatchVersion
	binary.BigEndian.PutUint32(b.bytes[4:], uint32(len(vertices)))
	binary.BigEndian.PutUint32(b.bytes[8:], uint32(size-messages.BatchHeaderBytes))
	b.digest = digestOf(size, hashes)
	return b
}

var errBatch = errors.New("a batch whose header and vertices differ")

// parseBatch finds a batch's vertices and hashes them.
func parseBatch(data []byte) (*batch, error) {
	if len(data) < messages.BatchHeaderBytes {
		return nil, errBatch
	}
	count := int(binary.BigEndian.Uint32(data[4:]))
	if count > messages.BatchVerticesMax {
		return nil, errBatch
	}
	b := &batch{bytes: data, offsets: make([]uint32, 0, count+1)}
	hashes := make([]messages.Digest, 0, count)
	for at := messages.BatchHeaderBytes; at < len(data); {
		v, size, err := messages.ParseVertex(data[at:])
		if err != nil {
			return nil, err
		}
		b.offsets = append(b.offsets, uint32(at))
		hashes = append(hashes, v.Hash())
		at += size
	}
	if len(hashes) != count {
		return nil, errBatch
	}
	b.offsets = append(b.offsets, uint32(len(data)))
	b.digest = digestOf(len(data), hashes)
	return b, nil
}

func digestOf(size int, hashes []messages.Digest) messages.Digest {
	return messages.BatchDigest(uint32(len(hashes)), uint32(size-messages.BatchHeaderBytes), messages.TreeRoot(hashes), noAuthorisation)
}

// vertex is a hashed vertex in the leader's pool.
type vertex struct {
	bytes []byte
	hash  messages.Digest
}
