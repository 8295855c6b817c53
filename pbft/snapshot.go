package pbft

import (
	"crypto/sha256"
	"fmt"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// The state lies in buckets, and a bucket's bytes in parts that fit a frame. The
// state digest of a checkpoint is a tree over all parts, so that whoever has the
// hashes can prove them by the checkpoint's certificate, and each part by its
// hash. [R4, C1]

// Tags of the tree's levels: no bytes of a part can be taken for hashes.
const (
	tagPart   = 0
	tagBucket = 1
)

// SplitParts gives the parts of a bucket: all but the last as large as may be.
func SplitParts(data []byte) [][]byte {
	var parts [][]byte
	for len(data) > 0 {
		n := min(len(data), messages.PartBytesMax)
		parts, data = append(parts, data[:n:n]), data[n:]
	}
	return parts
}

// HashPart is the hash of a part.
func HashPart(part []byte) (d messages.Digest) {
	h := sha256.New()
	h.Write([]byte{tagPart})
	h.Write(part)
	h.Sum(d[:0])
	return d
}

// HashParts gives the hashes of a bucket's parts, none of an empty bucket.
func HashParts(data []byte) []messages.Digest {
	if len(data) == 0 {
		return nil
	}
	hashes := make([]messages.Digest, 0, (len(data)-1)/messages.PartBytesMax+1)
	for _, part := range SplitParts(data) {
		hashes = append(hashes, HashPart(part))
	}
	return hashes
}

// bucketRoot is zero for an empty bucket, whether it was always empty or its
// creators were forgotten: a restored table cannot tell the two apart.
func bucketRoot(parts []messages.Digest) (d messages.Digest) {
	if len(parts) == 0 {
		return d
	}
	h := sha256.New()
	h.Write([]byte{tagBucket})
	for i := range parts {
		h.Write(parts[i][:])
	}
	h.Sum(d[:0])
	return d
}

const (
	tagClients     = "cretoai-consensus/v1/clients\x00"
	tagApplication = "cretoai-consensus/v1/application\x00"
)

// bucketsRoot is the root over so many buckets; parts gives the hashes of each.
func bucketsRoot(tag string, count int, parts func(i int) []messages.Digest) (root messages.Digest) {
	h := sha256.New()
	h.Write([]byte(tag))
	for i := range count {
		d := bucketRoot(parts(i))
		h.Write(d[:])
	}
	h.Sum(root[:0])
	return root
}

// BucketsDigest is the digest of an application whose state lies in buckets, by
// the hashes of their parts.
func BucketsDigest(buckets [][]messages.Digest) messages.Digest {
	return bucketsRoot(tagApplication, len(buckets), func(i int) []messages.Digest { return buckets[i] })
}

// PieceDigest stands in the state digest for an application whose state is one
// piece, by the digest it gives itself. It is never zero.
func PieceDigest(own messages.Digest) messages.Digest {
	return sha256.Sum256(append([]byte("cretoai-consensus/v1/piece\x00"), own[:]...))
}

// ManifestDigest is the state digest that a manifest stands for, with an
// application of so many buckets, 0 for one whose state is one piece. It fails for
// a manifest of another shape.
func ManifestDigest(m *messages.Manifest, buckets int) (messages.Digest, error) {
	clients, err := sparseRoot(tagClients, clientBuckets, m.Clients)
	if err != nil {
		return messages.Digest{}, fmt.Errorf("clients: %w", err)
	}
	application := m.Application
	switch {
	case buckets == 0 && application.IsZero():
		return messages.Digest{}, fmt.Errorf("the application's state is one piece here, the manifest's is not")
	case buckets > 0 && !application.IsZero():
		return messages.Digest{}, fmt.Errorf("the application's state lies in buckets here, the manifest's is one piece")
	case buckets > 0:
		if application, err = sparseRoot(tagApplication, buckets, m.App); err != nil {
			return messages.Digest{}, fmt.Errorf("application: %w", err)
		}
	}
	return StateDigest(m.Seq, m.Head, m.Vertices, application, clients), nil
}

func sparseRoot(tag string, count int, list []messages.BucketParts) (messages.Digest, error) {
	if n := len(list); n > 0 && uint64(list[n-1].Bucket) >= uint64(count) {
		return messages.Digest{}, fmt.Errorf("there are %d buckets, and no number %d", count, list[n-1].Bucket)
	}
	return bucketsRoot(tag, count, func(i int) []messages.Digest {
		if len(list) == 0 || list[0].Bucket != uint32(i) {
			return nil
		}
		parts := list[0].Parts
		list = list[1:]
		return parts
	}), nil
}

// ProveManifest checks that a quorum signed the state a manifest stands for, and
// gives its checkpoint. [R4]
func ProveManifest(m *messages.Manifest, buckets, quorum int, keyring *crypto.Keyring) (StableCheckpoint, error) {
	digest, err := ManifestDigest(m, buckets)
	if err != nil {
		return StableCheckpoint{}, err
	}
	if err := keyring.OpenCertificate(messages.Checkpoint, 0, m.Seq, digest, m.Certificate, quorum); err != nil {
		return StableCheckpoint{}, fmt.Errorf("the certificate does not prove the manifest: %w", err)
	}
	return StableCheckpoint{Seq: m.Seq, Digest: digest, Bundles: m.Certificate}, nil
}

// Part names a part of the state.
type Part struct {
	App    bool // of the application, else of the client table
	Bucket uint32
	Number uint32 // within the bucket
}

// PartsOf lists a manifest's parts, with their hashes, in the order of their
// numbers in FetchChunk and Chunk.
func PartsOf(m *messages.Manifest) (parts []Part, hashes []messages.Digest) {
	n := m.Count()
	parts, hashes = make([]Part, 0, n), make([]messages.Digest, 0, n)
	for _, section := range []struct {
		app  bool
		list []messages.BucketParts
	}{{false, m.Clients}, {true, m.App}} {
		for _, b := range section.list {
			for i, h := range b.Parts {
				parts, hashes = append(parts, Part{section.app, b.Bucket, uint32(i)}), append(hashes, h)
			}
		}
	}
	return parts, hashes
}

// ListBuckets makes a manifest's list of the buckets that are not empty.
func ListBuckets(buckets [][]messages.Digest) (list []messages.BucketParts) {
	for i, parts := range buckets {
		if len(parts) > 0 {
			list = append(list, messages.BucketParts{Bucket: uint32(i), Parts: parts})
		}
	}
	return list
}
