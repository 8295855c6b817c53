package messages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// FinalityProof shows, to whoever has the genesis and nothing else, that a
// vertex is final: it is the one at Path.Index in the batch that a quorum of
// members of Chain committed at Seq. Package crypto checks it. Of one vertex
// there are as many proofs as quorums and views; all say the same.
type FinalityProof struct {
	Chain  Digest // the genesis hash
	Seq    Seq
	View   View // of the certificate
	Vertex Digest
	// Batch is the digest the certificate signs. It follows from the four fields
	// below and is here for people.
	Batch         Digest
	Path          Path   // from the vertex to the batch's root
	VertexBytes   uint32 // of all vertices of the batch
	Authorisation Digest // of the batch's authorisation section
	Certificate   []*Bundle
}

// finalityFormat is the first field of the file. A changed layout is a new one.
const finalityFormat = "cretoai-consensus finality v1"

// FinalityProofBytesMax bounds the file of a proof. The largest certificate
// fits, in base64 and with what stands beside it.
const FinalityProofBytesMax = 1 << 20

// finalityFile is the file: JSON, so that it can be looked at and passed on by
// anything. What is signed is in it in the signed layout.
type finalityFile struct {
	Format        string   `json:"format"`
	Chain         Digest   `json:"chain"`
	Seq           Seq      `json:"sequence"`
	View          View     `json:"view"`
	Vertex        Digest   `json:"vertex"`
	Batch         Digest   `json:"batch"`
	Path          []byte   `json:"path"` // see Path.AppendTo
	VertexBytes   uint32   `json:"vertex_bytes"`
	Authorisation Digest   `json:"authorisation"`
	Certificate   [][]byte `json:"certificate"` // see BundleRecord.AppendTo
}

// BatchDigest is the digest of the batch the path leads to.
func (p *FinalityProof) BatchDigest() (Digest, error) {
	root, err := p.Path.Root(p.Vertex)
	if err != nil {
		return Digest{}, err
	}
	return BatchDigest(p.Path.Leaves, p.VertexBytes, root, p.Authorisation), nil
}

// Validate checks what can be judged without keys: the shape, and that the path
// leads to Batch.
func (p *FinalityProof) Validate() error {
	switch {
	case p.Chain.IsZero():
		return errors.New("the proof names no chain")
	case p.Seq == 0:
		return errors.New("the proof is for sequence 0, the genesis state")
	case p.Vertex.IsZero():
		return errors.New("the proof names no vertex")
	}
	batch, err := p.BatchDigest()
	if err != nil {
		return err
	}
	if batch != p.Batch {
		return fmt.Errorf("the path of vertex %s leads to batch %s, the proof is for %s", p.Vertex.Hex(), batch.Hex(), p.Batch.Hex())
	}
	return validateCertificate(p.Certificate)
}

// Encode makes the file ParseFinalityProof reads: the same bytes for the same
// value. It refuses what the parser would refuse.
func (p *FinalityProof) Encode() ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	f := finalityFile{
		Format: finalityFormat, Chain: p.Chain, Seq: p.Seq, View: p.View, Vertex: p.Vertex, Batch: p.Batch,
		Path: p.Path.AppendTo(nil), VertexBytes: p.VertexBytes, Authorisation: p.Authorisation,
	}
	for _, b := range p.Certificate {
		record, err := BundleRecord{b}.AppendTo(nil)
		if err != nil {
			return nil, err
		}
		f.Certificate = append(f.Certificate, record)
	}
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("a proof has nothing that JSON cannot hold: %v", err))
	}
	return append(b, '\n'), nil
}

// ParseFinalityProof reads what Encode made. White space aside it accepts one
// spelling of each proof: who changed a byte changed the proof, and two files
// that differ are two proofs.
func ParseFinalityProof(data []byte) (*FinalityProof, error) {
	if len(data) > FinalityProofBytesMax {
		return nil, fmt.Errorf("a proof of finality has at most %d bytes, not %d", FinalityProofBytesMax, len(data))
	}
	var f finalityFile
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("no proof of finality: at byte %d: %w", d.InputOffset(), err)
	}
	if f.Format != finalityFormat {
		return nil, fmt.Errorf("no proof of finality: its format is %.40q, this software reads %q", f.Format, finalityFormat)
	}
	p := &FinalityProof{
		Chain: f.Chain, Seq: f.Seq, View: f.View, Vertex: f.Vertex, Batch: f.Batch,
		VertexBytes: f.VertexBytes, Authorisation: f.Authorisation,
	}
	var err error
	if p.Path, err = ParsePath(f.Path); err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	for i, record := range f.Certificate {
		r, err := ParseBundleRecord(record)
		if err != nil {
			return nil, fmt.Errorf("certificate: bundle %d: %w", i, err)
		}
		p.Certificate = append(p.Certificate, r.Bundle)
	}
	canonical, err := p.Encode()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(compact(data), compact(canonical)) {
		return nil, errors.New("the proof is not spelt as this software spells it: its fields have one order and one notation each")
	}
	return p, nil
}

// compact drops the white space between the tokens of JSON that was parsed
// before. What follows the value, if anything does, is kept.
func compact(data []byte) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		return data // something follows it
	}
	return b.Bytes()
}
