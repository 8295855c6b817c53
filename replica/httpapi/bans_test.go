package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// lie is evidence as it may look; nobody here judges it.
func lie(member messages.Index) *messages.Evidence {
	e := &messages.Evidence{Member: member, Kind: messages.Prepare, View: 1, Seq: 7, Digests: [2]messages.Digest{{1}, {2}}}
	e.Bundles = []*messages.Bundle{{From: member, Votes: []messages.Vote{e.Vote(0), e.Vote(1)}, Signature: []byte{1}}}
	return e
}

func TestBans(t *testing.T) {
	d := newFakeDoor()
	d.bans = []replica.Ban{
		{Replica: 1, Name: "b", Reputation: 0.2, Violations: map[string]uint64{"flooding": 8}},
		{Replica: 3, Name: "d", Convicted: true, Evidence: []string{lie(3).FileName()}},
	}
	h := NewHandler(d, Options{BodyBytesMax: bodyBytesMax, LocalOnly: true})
	local := func(method, target string) *http.Request {
		r := newRequest(t, method, target)
		r.Host = "127.0.0.1:7001"
		return r
	}
	var got []replica.Ban
	w := serve(h, local(http.MethodGet, "/v1/bans"))
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || !reflect.DeepEqual(got, d.bans) {
		t.Errorf("got %s (%v)", w.Body, err)
	}

	expect(t, serve(h, local(http.MethodDelete, "/v1/bans/3")), http.StatusOK, `"name":"b"`)
	if !reflect.DeepEqual(d.lifted, []messages.Index{3}) {
		t.Errorf("lifted are the bans of %v", d.lifted)
	}
	for target, status := range map[string]int{
		"/v1/bans/9": http.StatusNotFound, "/v1/bans/-1": http.StatusBadRequest, "/v1/bans/65536": http.StatusBadRequest,
		"/v1/bans/x": http.StatusBadRequest,
	} {
		expect(t, serve(h, local(http.MethodDelete, target)), status, `"error"`)
	}
	if len(d.lifted) != 1 {
		t.Errorf("lifted are the bans of %v", d.lifted)
	}
}

// Whoever reaches the API from elsewhere may look, and must not pardon.
func TestBans_AreLiftedOnLoopbackOnly(t *testing.T) {
	d := newFakeDoor()
	h := newTestHandler(d)
	expect(t, serve(h, newRequest(t, http.MethodDelete, "/v1/bans/3")), http.StatusForbidden, "loopback")
	expect(t, get(t, h, "/v1/bans"), http.StatusOK, "[]")
	if len(d.lifted) != 0 {
		t.Error("a stranger lifted a ban")
	}
}

func TestEvidence(t *testing.T) {
	d := newFakeDoor()
	h := newTestHandler(d)
	expect(t, get(t, h, "/v1/evidence"), http.StatusOK, `[{"file":"member-1-invalid-new-view-view-5.evidence","replica":1}]`)
	d.evidence = []*messages.Evidence{lie(2), lie(3)}
	var list []Evidence
	if err := json.Unmarshal(get(t, h, "/v1/evidence").Body.Bytes(), &list); err != nil || len(list) != 3 ||
		list[2].Replica != 3 || list[2].Kind != "prepare" || *list[2].View != 1 || !slices.Equal(list[2].Digests, d.evidence[1].Digests[:]) {
		t.Errorf("listed is %+v (%v)", list, err)
	}
	want, err := messages.EncodeFrame(d.evidence[1])
	if err != nil {
		t.Fatal(err)
	}
	if w := get(t, h, "/v1/evidence/"+list[2].File); w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), want) {
		t.Errorf("got %d and %d bytes, want the %d of the file", w.Code, w.Body.Len(), len(want))
	}
	expect(t, get(t, h, "/v1/evidence/none"), http.StatusNotFound, "no such evidence")
}
