package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// ledgerDoor has three sequences: two vertices, the null batch, one vertex.
func ledgerDoor(t *testing.T) *fakeDoor {
	t.Helper()
	d := newFakeDoor()
	batch := func(vertices ...messages.Vertex) *messages.Batch {
		var encoded [][]byte
		var hashes []messages.Digest
		for _, v := range vertices {
			b, err := v.Encode()
			if err != nil {
				t.Fatal(err)
			}
			encoded, hashes = append(encoded, b), append(hashes, messages.HashVertex(b))
		}
		built, err := messages.BuildBatch(encoded, hashes, messages.DefaultParams())
		if err != nil {
			t.Fatal(err)
		}
		return built
	}
	creator := [32]byte{5}
	d.ledger = []*messages.Batch{
		batch(messages.Vertex{Payload: []byte("one"), Creator: creator},
			messages.Vertex{Payload: []byte("two"), Creator: creator, Nonce: 2, Parents: []messages.Digest{{4}}, Timestamp: -3, Expires: 90}),
		nil,
		batch(messages.Vertex{Payload: []byte("three"), Creator: creator, Nonce: 3}),
	}
	return d
}

func TestGetVertex(t *testing.T) {
	d := ledgerDoor(t)
	h := newTestHandler(d)
	hash := d.ledger[0].VertexHash(1)
	w := get(t, h, "/v1/vertices/"+hash.Hex())
	expect(t, w, http.StatusOK, `"payload":"dHdv","parents":["04`)
	var got LedgerVertex
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	creator, nonce := messages.Digest{5}, uint64(2)
	want := LedgerVertex{
		Vertex:  Vertex{Payload: []byte("two"), Parents: []messages.Digest{{4}}, Creator: &creator, Nonce: &nonce, Timestamp: -3, Expires: 90},
		Receipt: Receipt{Vertex: hash, Sequence: 1, Position: 1, Batch: d.ledger[0].Digest()},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestGetReceiptIsTheProof(t *testing.T) {
	d := ledgerDoor(t)
	hash := d.ledger[2].VertexHash(0)
	w := get(t, newTestHandler(d), "/v1/receipts/"+hash.Hex())
	p, err := messages.ParseFinalityProof(w.Body.Bytes())
	if err != nil || p.Vertex != hash || p.Seq != 3 || p.Batch != d.ledger[2].Digest() {
		t.Errorf("%d %s: %+v, %v", w.Code, w.Body, p, err)
	}
}

func TestUnknownVertices(t *testing.T) {
	h := newTestHandler(ledgerDoor(t))
	for _, path := range []string{"/v1/vertices/", "/v1/receipts/"} {
		expect(t, get(t, h, path+messages.Digest{1}.Hex()), http.StatusNotFound, "not in this replica's ledger")
		expect(t, get(t, h, path+"12"), http.StatusBadRequest, "is no vertex's hash")
		expect(t, get(t, h, path+strings.Repeat("x", 64)), http.StatusBadRequest, "is no vertex's hash")
	}
}

func TestGetLedger(t *testing.T) {
	d := ledgerDoor(t)
	h := newTestHandler(d)
	sequences := []Sequence{
		{1, 1, d.ledger[0].Digest(), []messages.Digest{d.ledger[0].VertexHash(0), d.ledger[0].VertexHash(1)}},
		{2, 2, messages.NullDigest, []messages.Digest{}},
		{3, 1, d.ledger[2].Digest(), []messages.Digest{d.ledger[2].VertexHash(0)}},
	}
	for query, want := range map[string][]Sequence{
		"": sequences, "?from=2": sequences[1:], "?limit=1": sequences[:1], "?from=2&limit=1": sequences[1:2],
		"?from=4": {}, "?from=9223372036854775808&limit=64": {},
	} {
		w := get(t, h, "/v1/ledger"+query)
		var got Ledger
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || got.Last != 3 || !reflect.DeepEqual(got.Sequences, want) {
			t.Errorf("%q: %d %s (%v)", query, w.Code, w.Body, err)
		}
	}
	for _, query := range []string{"?from=0", "?limit=0", "?limit=65", "?from=-1", "?from=x", "?from=18446744073709551615", "?limit=99999999999999999999"} {
		expect(t, get(t, h, "/v1/ledger"+query), http.StatusBadRequest, "is no number from")
	}
}

// TestResults: what the application made of a vertex is told, a failure as well.
func TestResults(t *testing.T) {
	d := ledgerDoor(t)
	h := newTestHandler(d)
	d.result = replica.Result{Data: "\x00yes"}
	expect(t, post(t, h, "/v1/vertices", rawType, strings.NewReader("x")), http.StatusOK, `"result":"AHllcw=="}`)
	d.result = replica.Result{Failed: true, Data: "no \xff"}
	expect(t, post(t, h, "/v1/vertices", rawType, strings.NewReader("x")), http.StatusOK, `"failed":true,"reason":"no ?"}`)
	expect(t, post(t, h, "/v1/vertices", jsonType, strings.NewReader(`[{"payload":"aGk="}]`)), http.StatusOK, `"failed":true,"reason":"no ?"}]`)
	expect(t, get(t, h, "/v1/vertices/"+d.ledger[0].VertexHash(0).Hex()), http.StatusOK, `"failed":true`)
}

// A ledger that was trimmed is read from where it begins; what lies below is gone,
// and a vertex that is not in it may have been there.
func TestTrimmedLedger(t *testing.T) {
	door := &fakeDoor{ledger: make([]*messages.Batch, 9), trimmed: 4}
	h := NewHandler(door, Options{})
	var answer Ledger
	if err := json.Unmarshal(get(t, h, "/v1/ledger").Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.First != 5 || answer.Last != 9 || len(answer.Sequences) != 5 || answer.Sequences[0].Sequence != 5 {
		t.Errorf("the ledger is read as %+v", answer)
	}
	expect(t, get(t, h, "/v1/ledger?from=4"), http.StatusGone, "below the retained ledger: sequence 4, and 5 is the first here")
	for _, path := range []string{"/v1/vertices/", "/v1/receipts/"} {
		expect(t, get(t, h, path+strings.Repeat("ab", 32)), http.StatusNotFound, "below the retained ledger: sequence 5 is the first here")
	}
}

// A ledger that cannot be read is no fault of who asks for it.
func TestDamagedLedger(t *testing.T) {
	d := ledgerDoor(t)
	d.damage = errors.New("input/output error")
	h := newTestHandler(d)
	hash := d.ledger[0].VertexHash(0).Hex()
	for _, path := range []string{"/v1/vertices/" + hash, "/v1/receipts/" + hash, "/v1/ledger"} {
		expect(t, get(t, h, path), http.StatusInternalServerError, `input/output error","hint":"this replica cannot read`)
	}
}
