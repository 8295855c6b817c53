package messages

// Every bound of what travels or is stored, in one place. Decoders compare
// with these, and with the bytes that remain, before they allocate.
const (
	// MembersMin is the smallest membership that tolerates a faulty member.
	MembersMin = 4
	// MembersMax bounds n; Status bitmaps are one uint64 for this reason.
	MembersMax = 64

	// VertexBytesMax bounds one vertex's bytes, header, parents and payload.
	VertexBytesMax = 256 << 10
	// VertexParentsMax bounds a vertex's parents.
	VertexParentsMax = 16
	// BatchVerticesMax bounds the vertices of a batch. With the hash tree's
	// fan-out of 32 there are two nodes below the root, and an inclusion path
	// stays within 2 kB.
	BatchVerticesMax = 2048
	// GroupVerticesMax bounds the vertices that one signature of a creator covers: a
	// tree of two levels, of which vertices bring along what is missing.
	GroupVerticesMax = 1024
	// BatchBytesMax bounds a batch's bytes.
	BatchBytesMax = 1 << 20

	// FrameBytesMax bounds a frame of the wire. The largest legal message of
	// every kind fits; a test per kind holds it to that.
	FrameBytesMax = 2 << 20
	// BundleVotesMax bounds the votes one signature covers.
	BundleVotesMax = 64
	// SignatureBytesMax bounds a signature of any scheme (ML-DSA-87: 4627).
	SignatureBytesMax = 5 << 10
	// CertificateBundlesMax bounds the bundles of a certificate.
	CertificateBundlesMax = MembersMax
	// CertificateBytesMax bounds a certificate's bundles together. MembersMax
	// full bundles of ML-DSA-87 stay below it, and a frame has room for the
	// largest batch beside them.
	CertificateBytesMax = 504 << 10

	// WindowMax bounds L, the distance between the watermarks.
	WindowMax = 1024
	// ClaimDigestsMax bounds the digests a member claims to have accepted for one
	// sequence: the newest four. [protocol §5]
	ClaimDigestsMax = 4
	// DecidedMax bounds how many sequences one FetchDecided asks for.
	DecidedMax = 256
	// PartBytesMax bounds a part of a snapshot, and the parts of one Chunk
	// together.
	PartBytesMax = 512 << 10
	// ChunkPartsMax bounds the parts one FetchChunk asks for.
	ChunkPartsMax = 256
	// SnapshotPartsMax bounds the parts of a snapshot, and with them the state
	// that can be transferred: 7 GiB in full parts. A manifest that large fits a
	// frame beside the largest certificate.
	SnapshotPartsMax = 14 << 10
	// SnapshotBucketsMax bounds the buckets of a snapshot.
	SnapshotBucketsMax = 6000
	// FrameBundlesMax bounds the bundles of one Bundles frame.
	FrameBundlesMax = 64
	// FetchBatchMax bounds the digests of one FetchBatch.
	FetchBatchMax = 64
	// StatusCheckpointsMax bounds the checkpoints above the stable one that a
	// Status tells of; a window has two.
	StatusCheckpointsMax = 16
	// SoftwareBytesMax bounds the software's name in a Hello.
	SoftwareBytesMax = 64
	// ReasonBytesMax bounds the text of a refusal.
	ReasonBytesMax = 512
	// GenesisBytesMax bounds a genesis file.
	GenesisBytesMax = 4 << 20
	// ChainNameBytesMax bounds the human-readable chain id.
	ChainNameBytesMax = 64
	// NonceWindowMax bounds W, the nonces per creator that are remembered.
	NonceWindowMax = 1 << 16
)
