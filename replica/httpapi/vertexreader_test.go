package httpapi

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// readAll reads a batch, a few bytes at a time.
func readAll(format Format, data []byte, limit int) (vertices []replica.Vertex, err error) {
	r := newVertexReader(format, bufio.NewReaderSize(io.MultiReader(bytes.NewReader(data[:len(data)/2]), bytes.NewReader(data[len(data)/2:])), 64), limit)
	for {
		if vertices, err = r.next(vertices); err != nil {
			return vertices, err
		}
	}
}

// TestHostileBatches: what is no vertex ends in an error that says so, and never costs
// more memory than was sent. [W1, W2]
func TestHostileBatches(t *testing.T) {
	creator := strings.Repeat("\x01", 32)
	for name, test := range map[string]struct{ data, want string }{
		"an array of four billion":   {"\xdd\xff\xff\xff\xff", "an array of 4294967295 values"},
		"bytes of four billion":      {"\xc6\xff\xff\xff\xff", "at most 262144"},
		"bytes that do not come":     {"\xc6\x00\x01\xff\x00", "ends within"},
		"a deep nest":                {strings.Repeat("\x92", 1<<16), "do not begin with 0x92"},
		"a map":                      {"\x81\xa1a\x01", "does not begin with 0x81"},
		"nothing (nil)":              {"\xc0", "does not begin with 0xc0"},
		"a text":                     {"\xa2hi", "does not begin with 0xa2"},
		"three values":               {"\x93\x01\x02\x03", "not of 3"},
		"a cut head":                 {"\xc5\x01", "ends within"},
		"a cut payload":              {"\xc4\x05hi", "ends within"},
		"no payload":                 {"\x96\xc0", "do not begin with 0xc0"},
		"a short creator":            {"\x96\xc4\x01x\xc4\x01x\x01\x01\x01\x90", "a creator has 32 bytes, not 1"},
		"a creator of zeros":         {"\x96\xc4\x01x\xc4\x20" + strings.Repeat("\x00", 32) + "\x01\x01\x01\x90", "not all zeros"},
		"a nonce of nobody":          {"\x96\xc4\x01x\xc4\x00\x01\x01\x01\x90", "come together"},
		"a negative nonce":           {"\x96\xc4\x01x\xc4\x20" + creator + "\xff\x01\x01\x90", "does not begin with 0xff"},
		"a timestamp above its type": {"\x96\xc4\x01x\xc4\x20" + creator + "\x01\x01\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x90", "no signed number"},
		"many parents":               {"\x96\xc4\x01x\xc4\x20" + creator + "\x01\x01\x01\xdc\x00\x11" + strings.Repeat("\xc4\x20"+creator, 17), "at most 16 parents"},
		"a short parent":             {"\x96\xc4\x01x\xc4\x20" + creator + "\x01\x01\x01\x91\xc4\x01x", "a parent has 32 bytes"},
		"no vertices":                {"\x92\xc4\x03abc\xc4\x00", "vertex 0: "},
		"no authorisation":           {string(encodedPair(t, []byte("none"))), "does not belong"},
		"a value above its limit":    {"\x92\xc5\xff\xff" + strings.Repeat("x", 0xffff) + "\xc5\xff\xff" + strings.Repeat("x", 0xffff), "more bytes than are allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := readAll(Msgpack, []byte(test.data), 1<<17)
			runtime.ReadMemStats(&after)
			var bad *malformed
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
			if cost, most := after.TotalAlloc-before.TotalAlloc, uint64(400<<10+8*len(test.data)); cost > most {
				t.Errorf("%d bytes cost %d of memory", len(test.data), cost)
			}
		})
	}
	var bad *malformed
	if _, err := readAll(Lines, bytes.Repeat([]byte("x"), 5000), 4096); !errors.As(err, &bad) || bad.rest || !strings.Contains(err.Error(), "a line has more than 4096 bytes") {
		t.Errorf("an endless line: %v", err)
	}
	nested := `{"payload":"aGk=","parents":` + strings.Repeat("[", 100_000)
	if _, err := readAll(Lines, []byte(nested), 1<<20); !errors.As(err, &bad) || !bad.rest {
		t.Errorf("a nested line: %v", err)
	}
	many := `{"vertices":[` + strings.Repeat(`{},`, 1024) + `{}]}`
	if _, err := readAll(Lines, []byte(many), 1<<20); err == nil || !strings.Contains(err.Error(), "a group of 1025 vertices") {
		t.Errorf("a large group: %v", err)
	}
}

// encodedPair is a value of one encoded vertex with an authorisation.
func encodedPair(t testing.TB, section []byte) []byte {
	t.Helper()
	v := messages.Vertex{Payload: []byte("x"), Creator: [32]byte{1}, Expires: 9}
	b, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return appendBin(appendBin(appendArray(nil, 2), b), section)
}

// TestReuse: room is taken back only of vertices that are whole.
func TestReuse(t *testing.T) {
	var s slab
	first := s.take(10)
	s.reuse()
	if second := s.take(10); &first[0] != &second[0] {
		t.Error("room was not reused")
	}
	s.begin()
	half := s.take(10)
	s.reuse()
	if third := s.take(10); &half[0] == &third[0] || &first[0] == &third[0] {
		t.Error("room of half a vertex was reused")
	}
}

// FuzzVertexReader: nothing panics, and what is read is read again when it is written.
func FuzzVertexReader(f *testing.F) {
	signed := signedVertices(f, 3)
	for _, format := range formats {
		seeds, err := format.appendVertices(nil, []replica.Vertex{{Payload: []byte("a")}, {Payload: []byte("b"), Creator: [32]byte{1}, Nonce: 300, Parents: []messages.Digest{{2}}, Timestamp: -300, Expires: 70000}})
		if err != nil {
			f.Fatal(err)
		}
		if seeds, err = format.appendVertices(seeds, signed); err != nil {
			f.Fatal(err)
		}
		f.Add(seeds, format == Lines)
	}
	f.Add([]byte("\xdd\xff\xff\xff\xff"), false)
	f.Add([]byte("{\"vertices\":[{}]}\n{\"payload\":\"\"}"), true)
	f.Fuzz(func(t *testing.T, data []byte, lines bool) {
		format := Msgpack
		if lines {
			format = Lines
		}
		read, _ := readAll(format, data, 1<<20)
		var unsigned []replica.Vertex
		for _, v := range read {
			if v.Seal.Group == nil && v.Parents == nil && (v.Creator != [32]byte{} || v.Nonce == 0) {
				if len(v.Payload) == 0 {
					v.Payload = []byte{}
				}
				unsigned = append(unsigned, v)
			}
		}
		written, err := format.appendVertices(nil, unsigned)
		if err != nil {
			t.Fatal(err)
		}
		again, err := readAll(format, written, 1<<20)
		if !errors.Is(err, io.EOF) || len(again) != len(unsigned) {
			t.Fatalf("%d of %d vertices are read again: %v", len(again), len(unsigned), err)
		}
		for i := range again {
			if !bytes.Equal(again[i].Payload, unsigned[i].Payload) {
				t.Fatalf("vertex %d has another payload", i)
			}
			again[i].Payload, unsigned[i].Payload = nil, nil
			if !reflect.DeepEqual(again[i], unsigned[i]) {
				t.Fatalf("vertex %d is %+v, was %+v", i, again[i], unsigned[i])
			}
		}
	})
}
