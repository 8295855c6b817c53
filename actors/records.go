package actors

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// encodedRecord is a record of the voter as it is stored.
type encodedRecord struct {
	kind messages.RecordKind
	data []byte
}

// encodeRecord makes the stored form of a record: one, or for a NewView also
// those of the ViewChanges it rests on, before it. Batches and bundles are the
// journal's own business, for it writes each once.
func encodeRecord(r pbft.Record) []encodedRecord {
	v := r.Vote
	switch r.Kind {
	case pbft.RecordAccepted:
		return []encodedRecord{encoded(messages.RecordAccepted, messages.AcceptedRecord{View: v.View, Seq: v.Seq, Digest: v.Digest})}
	case pbft.RecordPrepared:
		return []encodedRecord{encoded(messages.RecordPrepared, messages.PreparedRecord{View: v.View, Seq: v.Seq, Digest: v.Digest})}
	case pbft.RecordVote:
		return []encodedRecord{encoded(messages.RecordVote, messages.VoteRecord{Vote: v})}
	case pbft.RecordBundle:
		return []encodedRecord{encoded(messages.RecordBundle, messages.BundleRecord{Bundle: r.Bundle})}
	case pbft.RecordViewChange:
		return []encodedRecord{encoded(messages.RecordViewChange, messages.ViewChangeRecord{Body: r.ViewChange})}
	case pbft.RecordNewView:
		var list []encodedRecord
		for _, s := range r.NewView.Support {
			list = append(list, encoded(messages.RecordSupport, messages.SupportRecord{Bundle: s.Bundle, Body: s.Body}))
		}
		return append(list, encoded(messages.RecordNewView, messages.NewViewRecord{
			Body: r.NewView.Body, Bundle: r.NewView.Bundle, Certificate: r.NewView.Stable.Bundles,
		}))
	}
	panic(fmt.Sprintf("a record of kind %d", r.Kind))
}

func encoded(kind messages.RecordKind, r interface {
	AppendTo([]byte) ([]byte, error)
},
) encodedRecord {
	data, err := r.AppendTo(nil)
	if err != nil {
		panic(fmt.Sprintf("the voter granted what cannot be recorded: %v", err))
	}
	return encodedRecord{kind, data}
}

// encodeViews makes what stands beside a checkpoint in the state store, so that
// a restart needs no record about views older than it: for each record, kind 1 ‖
// bytes 4 ‖ the bytes, big-endian.
func encodeViews(records []pbft.Record) *[]byte {
	var out []byte
	for _, r := range records {
		for _, e := range encodeRecord(r) {
			out = append(out, byte(e.kind))
			out = binary.BigEndian.AppendUint32(out, uint32(len(e.data)))
			out = append(out, e.data...)
		}
	}
	return &out
}

// viewReader puts the records about views together again.
type viewReader struct {
	support []pbft.Support
}

// read takes one record about views; ok is false while parts are missing.
func (v *viewReader) read(kind messages.RecordKind, data []byte) (record pbft.Record, ok bool, err error) {
	switch kind {
	case messages.RecordViewChange:
		r, err := messages.ParseViewChangeRecord(data)
		return pbft.Record{Kind: pbft.RecordViewChange, ViewChange: r.Body}, err == nil, err
	case messages.RecordSupport:
		r, err := messages.ParseSupportRecord(data)
		if err == nil {
			v.support = append(v.support, pbft.Support{Bundle: r.Bundle, Body: r.Body})
		}
		return pbft.Record{}, false, err
	case messages.RecordNewView:
		r, err := messages.ParseNewViewRecord(data)
		if err != nil {
			return pbft.Record{}, false, err
		}
		nv := &pbft.NewView{Body: r.Body, Bundle: r.Bundle}
		if r.Body.MinS > 0 {
			nv.Stable = pbft.StableCheckpoint{Seq: r.Body.MinS, Digest: r.Body.MinSDigest, Bundles: r.Certificate}
		}
		for _, s := range v.support {
			if s.Body.View == r.Body.View {
				nv.Support = append(nv.Support, s)
			}
		}
		v.support = nil
		return pbft.Record{Kind: pbft.RecordNewView, NewView: nv}, true, nil
	default:
		return pbft.Record{}, false, fmt.Errorf("a record %v is not about views", kind)
	}
}

// decodeViews reads what encodeViews made.
func decodeViews(data []byte) ([]pbft.Record, error) {
	const headerBytes = 1 + 4
	var reader viewReader
	var records []pbft.Record
	for len(data) > 0 {
		if len(data) < headerBytes {
			return nil, errors.New("a record about views is cut off")
		}
		kind, size := messages.RecordKind(data[0]), int(binary.BigEndian.Uint32(data[1:]))
		if size > len(data)-headerBytes {
			return nil, errors.New("a record about views is cut off")
		}
		record, ok, err := reader.read(kind, data[headerBytes:headerBytes+size])
		if err != nil {
			return nil, fmt.Errorf("record about views: %w", err)
		}
		if ok {
			records = append(records, record)
		}
		data = data[headerBytes+size:]
	}
	return records, nil
}
