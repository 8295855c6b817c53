package messages

import (
	"bytes"
	"reflect"
	"testing"
)

// invalidNewView names two ViewChanges and holds them; what it lists is of no
// importance here.
func invalidNewView() *InvalidNewView {
	e := &InvalidNewView{}
	body := &NewViewBody{View: 5}
	for member := range Index(2) {
		vc := &ViewChangeBody{View: 5, Accepted: []Claim{{Seq: 1 + Seq(member), View: 1, Digest: numbered(1)}}}
		e.ViewChanges = append(e.ViewChanges, &ViewChangeMessage{Bundle: signed(member, viewChangeVote(vc)), Body: vc})
		body.ViewChanges = append(body.ViewChanges, ViewChangeRef{member, vc.Digest()})
	}
	e.NewView = &NewViewMessage{Bundle: signed(1, newViewVote(body)), Body: body}
	return e
}

// largestInvalidNewView is as large as a frame can hold: three ViewChanges, each
// with all claims the bounds allow.
func largestInvalidNewView() *InvalidNewView {
	e := &InvalidNewView{}
	body := largestNewView()
	body.ViewChanges = nil
	for member := range Index(3) {
		vc := largestViewChange()
		e.ViewChanges = append(e.ViewChanges, &ViewChangeMessage{Bundle: signed(member, viewChangeVote(vc)), Body: vc})
		body.ViewChanges = append(body.ViewChanges, ViewChangeRef{member, vc.Digest()})
	}
	e.NewView = &NewViewMessage{Bundle: signed(1, newViewVote(body)), Body: body}
	return e
}

func TestInvalidNewView_RoundTrip(t *testing.T) {
	alone := invalidNewView()
	alone.ViewChanges = nil
	for name, e := range map[string]*InvalidNewView{"whole": invalidNewView(), "alone": alone} {
		file, err := e.Encode()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := ParseInvalidNewView(bytes.Clone(file))
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		if !IsInvalidNewView(file) {
			t.Errorf("%s: the file is taken for another", name)
		}
		for n := range file {
			if cut, err := ParseInvalidNewView(file[:n]); err == nil && len(cut.ViewChanges) != 0 {
				t.Fatalf("%s: the first %d of %d bytes are a proof", name, n, len(file))
			}
		}
		if _, err := ParseInvalidNewView(append(bytes.Clone(file), file...)); err == nil {
			t.Errorf("%s: two proofs are one", name)
		}
	}
	if got, want := alone.FileName(), "member-1-invalid-new-view-view-5.evidence"; got != want {
		t.Errorf("the file is called %q, want %q", got, want)
	}
	if IsInvalidNewView(encodeFrame(t, evidenceOf(3, 4, 129, 2, 3))) || IsInvalidNewView(nil) {
		t.Error("other evidence is taken for a new-view")
	}
}

func TestInvalidNewView_Validate(t *testing.T) {
	for name, spoil := range map[string]func(*InvalidNewView){
		"no new-view":                      func(e *InvalidNewView) { e.NewView = nil },
		"a bad new-view":                   func(e *InvalidNewView) { e.NewView.Bundle = nil },
		"a new-view with a certificate":    func(e *InvalidNewView) { e.NewView.Certificate = bundlesOf(1, 1, 1) },
		"one view-change missing":          func(e *InvalidNewView) { e.ViewChanges = e.ViewChanges[:1] },
		"one too many":                     func(e *InvalidNewView) { e.ViewChanges = append(e.ViewChanges, e.ViewChanges[0]) },
		"no view-change":                   func(e *InvalidNewView) { e.ViewChanges[0] = nil },
		"a bad view-change":                func(e *InvalidNewView) { e.ViewChanges[0].Bundle = nil },
		"view-changes exchanged":           func(e *InvalidNewView) { e.ViewChanges[0], e.ViewChanges[1] = e.ViewChanges[1], e.ViewChanges[0] },
		"a view-change of another":         func(e *InvalidNewView) { e.ViewChanges[0].Bundle.From = 3 },
		"a view-change with a certificate": func(e *InvalidNewView) { e.ViewChanges[0].Certificate = bundlesOf(1, 1, 1) },
		"a view-change that is not named": func(e *InvalidNewView) {
			vc := &ViewChangeBody{View: 5}
			e.ViewChanges[0] = &ViewChangeMessage{Bundle: signed(0, viewChangeVote(vc)), Body: vc}
		},
	} {
		e := invalidNewView()
		spoil(e)
		if e.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := e.Encode(); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
	other := encodeFrame(t, &FetchDecided{From: 3, To: 4})
	if _, err := ParseInvalidNewView(append([]byte{0, 0, 0, byte(len(other))}, other...)); err == nil {
		t.Error("another frame is a proof")
	}
}

// No file panics or is read in two ways.
func FuzzParseInvalidNewView(f *testing.F) {
	file, err := invalidNewView().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add([]byte{0, 0, 0, 1, 0x90})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, file []byte) {
		e, err := ParseInvalidNewView(bytes.Clone(file))
		if err != nil {
			return
		}
		if again, err := e.Encode(); err != nil || !bytes.Equal(again, file) {
			t.Fatalf("read, and written as something else: %v", err)
		}
	})
}
