package messages

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// InvalidNewView is the proof that a leader signed a NewView that does not
// follow from its ViewChanges: the NewView, and those ViewChanges, in its order;
// none if it condemns itself. It travels as one byte string, the file's; of a
// large membership with full windows it exceeds a frame, and then the NewView
// goes alone: it names its ViewChanges, and who lacks one asks for it.
// [protocol §7]
type InvalidNewView struct {
	NewView     *NewViewMessage // without a certificate, which proves nothing here
	ViewChanges []*ViewChangeMessage
}

// InvalidNewViewBytesMax bounds the file.
const InvalidNewViewBytesMax = 32 << 20

// FileName is what a file with the proof is called.
func (e *InvalidNewView) FileName() string {
	return fmt.Sprintf("member-%d-invalid-new-view-view-%d%s", e.NewView.Bundle.From, e.NewView.Body.View, EvidenceFileEnding)
}

// Validate checks what can be judged without keys and rules.
func (e *InvalidNewView) Validate() error {
	if e.NewView == nil {
		return errors.New("no new-view")
	}
	if err := e.NewView.Validate(); err != nil {
		return err
	}
	refs := e.NewView.Body.ViewChanges
	switch {
	case len(e.NewView.Certificate) > 0:
		return errors.New("the new-view has a certificate, which proves nothing here")
	case len(e.ViewChanges) != 0 && len(e.ViewChanges) != len(refs):
		return fmt.Errorf("%d view-changes for a new-view that names %d", len(e.ViewChanges), len(refs))
	}
	for i, vc := range e.ViewChanges {
		if vc == nil {
			return errors.New("no view-change")
		}
		if err := vc.Validate(); err != nil {
			return err
		}
		switch {
		case len(vc.Certificate) > 0:
			return errors.New("a view-change has a certificate, which proves nothing here")
		case vc.Bundle.From != refs[i].Member || vc.Body.Digest() != refs[i].Digest:
			return fmt.Errorf("view-change %d is not the one that the new-view names", i)
		}
	}
	return nil
}

// IsInvalidNewView reports whether a file of evidence begins like one of these;
// any other is a frame.
func IsInvalidNewView(file []byte) bool { return len(file) > 0 && file[0] == 0 }

// FrameKind implements Message.
func (*InvalidNewView) FrameKind() FrameKind { return FrameInvalidNewView }

// Encode makes the file: the frames one after the other, each after its length in
// 4 bytes, big-endian.
func (e *InvalidNewView) Encode() ([]byte, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	file := e.appendTo(nil)
	if len(file) > InvalidNewViewBytesMax {
		return nil, fmt.Errorf("%d bytes, at most %d are allowed", len(file), InvalidNewViewBytesMax)
	}
	return file, nil
}

// frames are what the file is made of, once validated.
func (e *InvalidNewView) frames() []Message {
	list := []Message{e.NewView}
	for _, vc := range e.ViewChanges {
		list = append(list, vc)
	}
	return list
}

func (e *InvalidNewView) appendTo(file []byte) []byte {
	for _, m := range e.frames() {
		f, _ := formOf(m.FrameKind())
		frame := encode(m, f)
		file = binary.BigEndian.AppendUint32(file, uint32(len(frame)))
		file = append(file, frame...)
	}
	return file
}

func (e *InvalidNewView) size() int {
	bytes := headBytesMax
	for _, m := range e.frames() {
		bytes += 4 + frameHeaderBytesMax + m.size()
	}
	return bytes
}

func (e *InvalidNewView) encodeFields(w *frameWriter) { w.bin(e.appendTo(nil)) }

func (e *InvalidNewView) decodeFields(r *frameReader) {
	file := r.bin(FrameBytesMax)
	if r.err != nil {
		return
	}
	read, err := ParseInvalidNewView(file)
	if err != nil {
		r.fail("%w", err)
		return
	}
	*e = *read
}

// ParseInvalidNewView reads what Encode made, and nothing else. It keeps the
// file's bytes.
func ParseInvalidNewView(file []byte) (*InvalidNewView, error) {
	if len(file) > InvalidNewViewBytesMax {
		return nil, fmt.Errorf("%d bytes, at most %d are allowed", len(file), InvalidNewViewBytesMax)
	}
	e := &InvalidNewView{}
	for first := true; len(file) > 0; first = false {
		if len(file) < 4 {
			return nil, errors.New("it ends within a length")
		}
		size := binary.BigEndian.Uint32(file)
		if file = file[4:]; uint64(size) > uint64(len(file)) {
			return nil, errors.New("it ends within a frame")
		}
		// By its kind before it is decoded: a proof within a proof would have a peer
		// say how deep this recurses.
		kind, ok := PeekFrameKind(file[:size])
		if want := map[bool]FrameKind{true: FrameNewView, false: FrameViewChange}[first]; !ok || kind != want {
			return nil, fmt.Errorf("a frame of kind %v where one of %v belongs", kind, want)
		}
		m, err := DecodeFrame(file[:size:size])
		if err != nil {
			return nil, err
		}
		file = file[size:]
		switch m := m.(type) {
		case *NewViewMessage:
			e.NewView = m
		case *ViewChangeMessage:
			if len(e.ViewChanges) == MembersMax {
				return nil, fmt.Errorf("more than %d view-changes", MembersMax)
			}
			e.ViewChanges = append(e.ViewChanges, m)
		}
	}
	if err := e.Validate(); err != nil {
		return nil, err
	}
	return e, nil
}
