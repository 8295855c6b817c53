package messages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// someProof is a well-formed proof that nobody signed.
func someProof(signature int) *FinalityProof {
	hashes := leaves(3)
	p := &FinalityProof{
		Chain: numbered(1), Seq: 7, View: 2, Vertex: hashes[1], Path: InclusionPath(hashes, 1),
		VertexBytes: 300, Authorisation: noAuthorisation, Certificate: bundlesOf(3, 2, signature),
	}
	p.Batch, _ = p.BatchDigest()
	return p
}

// TestFinalityFileGolden freezes the file: proofs are kept for years.
func TestFinalityFileGolden(t *testing.T) {
	data, err := someProof(8).Encode()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if got, want := hex.EncodeToString(sum[:]), "30e12a76f16e406b6f0e82532ea6a83fc324b2fa846e7f86417b074d4da3446b"; got != want {
		t.Errorf("the file is\n%s\nwith hash %s, want %s", data, got, want)
	}
}

// TestLargestFinalityProof: the largest certificate there can be fits the file.
func TestLargestFinalityProof(t *testing.T) {
	p := someProof(1)
	p.Path = InclusionPath(leaves(BatchVerticesMax), 1)
	p.Vertex = leaves(2)[1]
	p.Batch, _ = p.BatchDigest()
	const room = CertificateBytesMax/MembersMax - bundleFrameBytesMax - BundleVotesMax*VoteBytes
	p.Certificate = bundlesOf(MembersMax, BundleVotesMax, room)
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseFinalityProof(data); err != nil {
		t.Errorf("%d bytes: %v", len(data), err)
	}
}

func FuzzParseFinalityProof(f *testing.F) {
	data, err := someProof(8).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(compact(data))
	f.Add(bytes.Replace(data, []byte(`"view"`), []byte(`"View"`), 1))
	f.Add(append(bytes.Clone(data), '1'))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseFinalityProof(data)
		if err != nil {
			return
		}
		again, err := p.Encode()
		if err != nil {
			t.Fatalf("a proof that was read cannot be written: %v", err)
		}
		if !bytes.Equal(compact(again), compact(data)) {
			t.Fatal("one proof, two spellings")
		}
	})
}
