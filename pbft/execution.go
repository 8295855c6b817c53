package pbft

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/cretoai/consensus/messages"
)

// NextHead is the ledger head after seq: a hash chain over the executed
// batches. Neither the view nor the certificate enters it, for they may differ
// between correct replicas.
func NextHead(head messages.Digest, seq messages.Seq, batch messages.Digest) messages.Digest {
	const tag = "cretoai-consensus/v1/ledger\x00"
	var fixed [len(tag) + 32 + 8 + 32]byte
	b := append(fixed[:0], tag...)
	b = append(b, head[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	b = append(b, batch[:]...)
	return sha256.Sum256(b)
}

// StateDigest is what a Checkpoint vote names: everything that replicas must
// agree on after seq, with the number of vertices executed since genesis; the
// client table included, or a retry would execute twice after a state transfer.
// [C1]
func StateDigest(seq messages.Seq, head messages.Digest, vertices uint64, application, clients messages.Digest) messages.Digest {
	const tag = "cretoai-consensus/v1/state\x00"
	var fixed [len(tag) + 8 + 32 + 8 + 2*32]byte
	b := append(fixed[:0], tag...)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	b = append(b, head[:]...)
	b = binary.BigEndian.AppendUint64(b, vertices)
	b = append(b, application[:]...)
	b = append(b, clients[:]...)
	return sha256.Sum256(b)
}
