package crypto_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// aProof proves that the i-th of n vertices is final, with real signatures:
// a cheaper scheme's might be malleable where ML-DSA is not.
func aProof(t *testing.T, m *members, n, i int, signers ...messages.Index) *messages.FinalityProof {
	t.Helper()
	var vertices [][]byte
	var hashes []messages.Digest
	for nonce := range n {
		v := messages.Vertex{Payload: []byte("a payload"), Creator: [32]byte{1}, Nonce: uint64(nonce)}
		b, err := v.Encode()
		if err != nil {
			t.Fatal(err)
		}
		vertices, hashes = append(vertices, b), append(hashes, messages.HashVertex(b))
	}
	batch, err := messages.BuildBatch(vertices, hashes, messages.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	vote := messages.Vote{Kind: messages.Commit, View: 3, Seq: 17, Digest: batch.Digest()}
	p := batch.FinalityProof(i)
	p.Chain, p.View, p.Seq = m.Chain(), vote.View, vote.Seq
	for _, from := range signers {
		p.Certificate = append(p.Certificate, m.seal(t, from, aVote(messages.Prepare), vote))
	}
	return p
}

func mldsa44(t *testing.T) crypto.Scheme {
	t.Helper()
	s, err := crypto.SchemeByName("ml-dsa-44")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestX6_OpenFinality(t *testing.T) {
	m := newMembers(t, 4, mldsa44(t))
	for _, size := range []struct{ n, i int }{{1, 0}, {2, 1}, {33, 32}, {1024, 500}} {
		p := aProof(t, m, size.n, size.i, 0, 1, 3)
		if err := m.OpenFinality(p); err != nil {
			t.Errorf("vertex %d of %d: %v", size.i, size.n, err)
		}
		data, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := messages.ParseFinalityProof(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.OpenFinality(got); err != nil {
			t.Errorf("vertex %d of %d, read from its file: %v", size.i, size.n, err)
		}
	}
	p := aProof(t, m, 2, 1, 0, 1)
	if err := m.OpenFinality(p); err == nil || !strings.Contains(err.Error(), "2 bundles, 3 to 4 are allowed") {
		t.Errorf("one signature too few: %v", err)
	}
	other := newMembers(t, 5, mldsa44(t))
	if err := other.OpenFinality(aProof(t, m, 2, 1, 0, 1, 3)); err == nil || !strings.Contains(err.Error(), "for the chain with genesis "+m.Chain().Hex()) {
		t.Errorf("another chain's: %v", err)
	}
}

// TestX6_TamperedFieldsAreRefused gives every field of the file other values, one
// at a time, and expects each to be refused for its own reason.
func TestX6_TamperedFieldsAreRefused(t *testing.T) {
	m := newMembers(t, 4, mldsa44(t))
	data, err := aProof(t, m, 40, 35, 0, 1, 3).Encode()
	if err != nil {
		t.Fatal(err)
	}
	open := func(data []byte) error {
		p, err := messages.ParseFinalityProof(data)
		if err != nil {
			return err
		}
		return m.OpenFinality(p)
	}
	if err := open(data); err != nil {
		t.Fatal(err)
	}
	zeros := `"` + strings.Repeat("00", 32) + `"`
	ones := `"` + strings.Repeat("11", 32) + `"`
	for _, c := range []struct{ field, value, want string }{
		{"format", `"cretoai-consensus finality v2"`, "its format is"},
		{"chain", ones, "for the chain with genesis 1111"},
		{"chain", zeros, "no chain"},
		{"sequence", "18", "does not hold the vote"},
		{"sequence", "0", "sequence 0"},
		{"sequence", "-1", "no proof of finality"},
		{"view", "2", "does not hold the vote"},
		{"vertex", ones, "leads to batch"},
		{"vertex", zeros, "no vertex"},
		{"batch", ones, "the proof is for 1111"},
		{"path", `"AAAA"`, "a path has"},
		{"path", `null`, "a path has"},
		{"vertex_bytes", "1", "leads to batch"},
		{"authorisation", ones, "leads to batch"},
		{"certificate", "[]", "1 to 64 bundles, not 0"},
		{"certificate", `["AAAA"]`, "certificate: bundle 0"},
		{"certificate", "null", "1 to 64 bundles, not 0"},
		{"another", "1", "unknown field"},
	} {
		if err := open(withField(t, data, c.field, c.value)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %.40s: got %v, want %s", c.field, c.value, err, c.want)
		}
	}
	for _, c := range []struct{ name, data string }{
		{"trailing value", string(data) + "{}"},
		{"trailing text", string(data) + "x"},
		{"a field twice", strings.Replace(string(data), `"view": 3`, `"view": 3, "view": 3`, 1)},
		{"a field in another case", strings.Replace(string(data), `"view"`, `"VIEW"`, 1)},
		{"upper-case digits", strings.Replace(string(data), m.Chain().Hex(), strings.ToUpper(m.Chain().Hex()), 1)},
		{"cut off", string(data[:len(data)/2])},
		{"nothing", ""},
	} {
		if err := open([]byte(c.data)); err == nil {
			t.Errorf("%s was accepted", c.name)
		}
	}
	var spaced bytes.Buffer
	if err := json.Compact(&spaced, data); err != nil {
		t.Fatal(err)
	}
	if err := open(spaced.Bytes()); err != nil {
		t.Errorf("without white space: %v", err)
	}
}

// TestEveryByteOfAProofCounts changes bytes anywhere in the file to others that
// JSON may hold there.
func TestEveryByteOfAProofCounts(t *testing.T) {
	m := newMembers(t, 4, mldsa44(t))
	data, err := aProof(t, m, 2, 0, 0, 1, 2).Encode()
	if err != nil {
		t.Fatal(err)
	}
	step := 1
	if len(data) > 2000 { // the signatures take most of it; a prime reaches all of them
		step = 7
	}
	for i := 0; i < len(data); i += step {
		if bytes.IndexByte([]byte(" \n"), data[i]) >= 0 {
			continue
		}
		changed := bytes.Clone(data)
		switch changed[i] {
		case 'A':
			changed[i] = 'B'
		case '0':
			changed[i] = '1'
		default:
			changed[i] = 'A'
			if data[i] >= '1' && data[i] <= '9' || data[i] >= 'a' && data[i] <= 'f' {
				changed[i] = '0'
			}
		}
		p, err := messages.ParseFinalityProof(changed)
		if err == nil {
			err = m.OpenFinality(p)
		}
		if err == nil {
			t.Fatalf("byte %d, %q changed to %q, was accepted", i, data[i], changed[i])
		}
	}
}

// withField replaces a field's value in an encoded proof, in its place.
func withField(t *testing.T, data []byte, field, value string) []byte {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	fields[field] = json.RawMessage(value)
	order := []string{"format", "chain", "sequence", "view", "vertex", "batch", "path", "vertex_bytes", "authorisation", "certificate", "another"}
	var b strings.Builder
	for _, name := range order {
		if v, ok := fields[name]; ok {
			fmt.Fprintf(&b, ",%q:%s", name, v)
		}
	}
	return []byte("{" + b.String()[1:] + "}")
}
