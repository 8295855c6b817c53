package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// signedVertices are n of one creator, with one signature.
func signedVertices(t testing.TB, n int) []replica.Vertex {
	t.Helper()
	scheme, err := crypto.SchemeByName("ml-dsa-44")
	if err != nil {
		t.Fatal(err)
	}
	key, err := scheme.NewKey(bytes.Repeat([]byte{1}, scheme.SeedSize()))
	if err != nil {
		t.Fatal(err)
	}
	vertices := make([]replica.Vertex, n)
	for i := range vertices {
		vertices[i] = replica.Vertex{Payload: fmt.Appendf(nil, "vertex %d", i), Nonce: uint64(i), Expires: 9, Parents: []messages.Digest{{1}}, Timestamp: -1}
	}
	signed, err := replica.NewCreatorOf(messages.Digest{1}, "ml-dsa-44", key).SignVertices(vertices)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// sameSigned compares what was proposed with what was signed: signatures by what they
// cover, since they came as bytes.
func sameSigned(t *testing.T, got, want []replica.Vertex) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d vertices arrived, want %d", len(got), len(want))
	}
	for i := range want {
		g, w := got[i].Seal, want[i].Seal
		if g.Group == nil || g.Leaf != w.Leaf || g.Group.Root() != w.Group.Root() || !bytes.Equal(g.Group.Signature, w.Group.Signature) || !bytes.Equal(g.Group.Key, w.Group.Key) {
			t.Fatalf("vertex %d is sealed by %+v", i, g)
		}
		a, b := got[i], want[i]
		a.Seal, b.Seal = messages.Seal{}, messages.Seal{}
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("vertex %d is %+v, want %+v", i, a, b)
		}
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSignedVerticesArrive in each form in which they may be sent, whole or in part.
func TestSignedVerticesArrive(t *testing.T) {
	signed := signedVertices(t, 70)
	group, err := NewGroup(signed)
	if err != nil {
		t.Fatal(err)
	}
	part, err := NewGroup(signed[3:50])
	if err != nil {
		t.Fatal(err)
	}
	one, err := NewGroup(signed[:1])
	if err != nil {
		t.Fatal(err)
	}
	alone := one.Vertices[0]
	alone.Authorisation = one.Authorisation
	for name, test := range map[string]struct {
		body string
		want []replica.Vertex
		part string
	}{
		"a group":         {asJSON(t, group), signed, `[{"vertex"`},
		"a part of one":   {asJSON(t, part), signed[3:50], `[{"vertex"`},
		"a vertex":        {asJSON(t, alone), signed[:1], `{"vertex"`},
		"an array of one": {asJSON(t, []Vertex{alone}), signed[:1], `[{"vertex"`},
	} {
		d := newFakeDoor()
		w := post(t, NewHandler(d, Options{BodyBytesMax: 1 << 20}), "/v1/vertices", jsonType, strings.NewReader(test.body))
		expect(t, w, http.StatusOK, test.part)
		t.Run(name, func(t *testing.T) { sameSigned(t, d.proposed, test.want) })
	}
	v, d := one.Vertices[0], newFakeDoor()
	r := newRequest(t, http.MethodPost, fmt.Sprintf("/v1/vertices?creator=%s&nonce=%d&expires=%d&timestamp=%d&parent=%s",
		v.Creator.Hex(), *v.Nonce, v.Expires, v.Timestamp, v.Parents[0].Hex()))
	r.Body = io.NopCloser(bytes.NewReader(v.Payload))
	r.Header.Set("Content-Type", rawType)
	r.Header.Set("Vertex-Authorisation", base64.StdEncoding.EncodeToString(one.Authorisation))
	expect(t, serve(newTestHandler(d), r), http.StatusOK, `{"vertex"`)
	sameSigned(t, d.proposed, signed[:1])
}

func TestBadAuthorisations(t *testing.T) {
	group, err := NewGroup(signedVertices(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(*Group)) string {
		g := *group
		g.Vertices = append([]Vertex(nil), group.Vertices...)
		f(&g)
		return asJSON(t, g)
	}
	for name, test := range map[string]struct{ target, body, want string }{
		"cut":                    {"", change(func(g *Group) { g.Authorisation = g.Authorisation[:90] }), "does not belong to these vertices"},
		"of more vertices":       {"", change(func(g *Group) { g.Vertices = g.Vertices[:1] }), "does not belong to these vertices"},
		"no expiry":              {"", change(func(g *Group) { g.Vertices[1].Expires = 0 }), "vertex 1: a vertex to be signed needs Expires"},
		"nobody's":               {"", change(func(g *Group) { g.Vertices[1].Creator, g.Vertices[1].Nonce = nil, nil }), "vertex 1: a vertex names its creator"},
		"twice":                  {"", change(func(g *Group) { g.Vertices[0].Authorisation = g.Authorisation }), "vertex 0: "},
		"no base64":              {"", `{"payload":"aGk=","authorisation":"%"}`, "illegal base64"},
		"fields beside vertices": {"", `{"payload":"aGk=","vertices":[]}`, "stand in each of them"},
		"a group within a group": {"", `{"vertices":[{"vertices":[]}]}`, "unknown field"},
		"a nonce of letters":     {"?nonce=x", "", "nonce="},
		"a nonce alone":          {"?nonce=1", "", "creator and nonce come together"},
		"a short creator":        {"?nonce=1&creator=00", "", "creator="},
		"a parent of letters":    {"?parent=x", "", "parent="},
	} {
		d, kind := newFakeDoor(), jsonType
		if test.target != "" {
			kind = rawType
		}
		w := post(t, NewHandler(d, Options{BodyBytesMax: 1 << 20}), "/v1/vertices"+test.target, kind, strings.NewReader(test.body))
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), test.want) || len(d.proposed) > 0 {
			t.Errorf("%s: %d %s, want 400 and %q", name, w.Code, w.Body, test.want)
		}
	}
}

// TestRefusedSignatures says what to do about them.
func TestRefusedSignatures(t *testing.T) {
	for _, test := range []struct {
		cause error
		hint  string
	}{
		{messages.ErrUnsigned, "replica propose --key"},
		{messages.ErrUncalledFor, "without its authorisation"},
	} {
		e := errorOf(&replica.SignatureError{Vertex: 1, Cause: test.cause})
		if e.status != http.StatusBadRequest || !strings.Contains(e.Hint, test.hint) {
			t.Errorf("%v: %d %q", test.cause, e.status, e.Hint)
		}
	}
}

func TestCreators(t *testing.T) {
	h := newTestHandler(newFakeDoor())
	id := messages.Digest{77}.Hex()
	expect(t, get(t, h, "/v1/creators/"+id), http.StatusOK, fmt.Sprintf(`{"creator":%q,"next":77,"base":1,"window":64,"sequence":9}`, id))
	expect(t, get(t, h, "/v1/creators/77"), http.StatusBadRequest, "names no creator")
}
