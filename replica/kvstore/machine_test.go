package kvstore

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// operation is a finalised vertex with that payload.
func operation(t testing.TB, payload []byte) replica.Operation {
	t.Helper()
	v := messages.Vertex{Payload: payload, Creator: [32]byte{1}}
	b, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	view, _, err := messages.ParseVertex(b)
	if err != nil {
		t.Fatal(err)
	}
	return replica.Operation{Hash: view.Hash(), Vertex: view}
}

// run executes operations as one sequence and gives their results.
func run(t testing.TB, m *Machine, list ...Operation) []replica.Result {
	t.Helper()
	ops := make([]replica.Operation, len(list))
	for i, o := range list {
		b, err := o.Encode()
		if err != nil {
			t.Fatal(err)
		}
		ops[i] = operation(t, b)
	}
	m.Apply(1, ops)
	results := make([]replica.Result, len(ops))
	for i := range ops {
		results[i] = ops[i].Result
	}
	return results
}

func (s *store) put(key, value string) { s.set(key, write{value: value, bucket: bucketOf(key)}) }

func pointer(s string) *string { return &s }

func TestOperations(t *testing.T) {
	m := New()
	for i, c := range []struct {
		o    Operation
		want Answer
	}{
		{Get("a"), Answer{}},
		{Delete("a"), Answer{}},
		{Put("a", "1"), Answer{Done: true}},
		{Get("a"), Answer{Done: true, Present: true, Value: "1"}},
		{Put("a", ""), Answer{Done: true}},
		{Get("a"), Answer{Done: true, Present: true}},
		{CompareAndSwap("a", nil, "2"), Answer{Present: true}},
		{CompareAndSwap("a", pointer("1"), "2"), Answer{Present: true}},
		{CompareAndSwap("a", pointer(""), "2"), Answer{Done: true}},
		{CompareAndSwap("a", pointer("1"), "3"), Answer{Present: true, Value: "2"}},
		{CompareAndSwap("b", pointer(""), "3"), Answer{}},
		{CompareAndSwap("b", nil, "3"), Answer{Done: true}},
		{Get("b"), Answer{Done: true, Present: true, Value: "3"}},
		{Delete("a"), Answer{Done: true}},
		{Get("a"), Answer{}},
	} {
		got := run(t, m, c.o)[0]
		a, err := ParseAnswer(got.Data)
		if got.Failed || err != nil || a != c.want {
			t.Errorf("%d: %+v answers %+v, %v, want %+v", i, c.o, a, err, c.want)
		}
	}
	if m.store.bytes != size("b", "3") {
		t.Errorf("%d bytes are counted", m.store.bytes)
	}
}

// TestX5_PoisonousOperationsFailAlone: whatever an operation does, it becomes a
// failure without effect, and those beside it are executed.
func TestX5_PoisonousOperationsFailAlone(t *testing.T) {
	var panics []any
	build := func() *Machine {
		m := NewMachine(func(tx *Tx, op replica.Operation) (string, error) {
			what := string(op.Vertex.Payload())
			tx.Put("written", what)
			tx.Delete("kept")
			switch what {
			case "error":
				return "ignored", errors.New("refused")
			case "long error":
				return "", errors.New(strings.Repeat("x", 10_000))
			case "panic":
				panic(fmt.Sprintf("at %p", tx)) // differs from replica to replica
			case "runtime panic":
				_ = what[len(what)]
			case "bad key":
				tx.Put("", "x")
			case "long key":
				tx.Put(strings.Repeat("k", KeyBytesMax+1), "x")
			case "long value":
				tx.Put("v", strings.Repeat("v", ValueBytesMax+1))
			case "long answer":
				return strings.Repeat("a", ResultBytesMax+1), nil
			case "too much":
				for i := range 100 {
					tx.Put(fmt.Sprint(i), strings.Repeat("v", 100))
				}
			}
			if value, ok := tx.Get("written"); !ok || value != what {
				t.Errorf("%s: an operation does not see its own writes, but %q", what, value)
			}
			return what, nil
		})
		m.bytesMax = 10_000
		m.OnPanic(func(_ replica.Operation, value any) { panics = append(panics, value) })
		return m
	}
	m, twin := build(), build()
	kept := []replica.Operation{operation(t, []byte("good"))}
	for _, m := range []*Machine{m, twin} {
		m.store.put("kept", "1")
	}
	for what, reason := range map[string]string{
		"error": "refused", "long error": strings.Repeat("x", reasonBytesMax), "panic": panicked, "runtime panic": panicked,
		"bad key": "a key has 1 to 1024 bytes, not 0", "long key": "not 1025", "long value": "a value has at most",
		"long answer": "an answer has at most", "too much": "the state would exceed its 10000 bytes",
	} {
		ops := []replica.Operation{operation(t, []byte(what))}
		before := m.store.bytes
		m.Apply(1, ops)
		if r := ops[0].Result; !r.Failed || !strings.Contains(r.Data, reason) || len(r.Data) > reasonBytesMax {
			t.Errorf("%s: %+v, want %s", what, r, reason)
		}
		if value, ok := m.store.get("kept"); !ok || value != "1" || m.store.bytes != before {
			t.Errorf("%s: a failed operation had an effect", what)
		}
		twin.Apply(1, ops)
	}
	m.Apply(2, kept)
	if value, _ := m.store.get("written"); value != "good" || kept[0].Result != (replica.Result{Data: "good"}) {
		t.Errorf("after all of them, a good operation gives %+v and leaves %q", kept[0].Result, value)
	}
	twin.Apply(2, kept)
	if m.Digest() != twin.Digest() {
		t.Error("two replicas differ")
	}
	if len(panics) != 4 {
		t.Errorf("%d panics are told, want 2 of each machine", len(panics))
	}
}

// TestDigestCoversResults: replicas whose answers differ do not take each other
// for equal, though their states are.
func TestDigestCoversResults(t *testing.T) {
	answers := func(answer string, err error) messages.Digest {
		m := NewMachine(func(*Tx, replica.Operation) (string, error) { return answer, err })
		m.Apply(1, []replica.Operation{operation(t, []byte("x"))})
		return m.Digest()
	}
	seen := make(map[messages.Digest]bool)
	for _, d := range []messages.Digest{answers("", nil), answers("a", nil), answers("b", nil), answers("", errors.New("a")), New().Digest()} {
		if seen[d] {
			t.Error("two different results have one digest")
		}
		seen[d] = true
	}
}

// TestRandomStatesSurviveEverything compares the machine with a map, and what is
// restored from its snapshots and from its changed buckets with itself.
func TestRandomStatesSurviveEverything(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	m, model, disk := New(), make(map[string]string), make(map[int][]byte)
	for round := range 40 {
		var list []Operation
		for range rng.IntN(60) {
			key, value := fmt.Sprint("key ", rng.IntN(50)), fmt.Sprint(rng.Uint64())
			if rng.IntN(3) == 0 {
				list = append(list, Delete(key))
				delete(model, key)
			} else {
				list = append(list, Put(key, value))
				model[key] = value
			}
		}
		run(t, m, list...)
		for _, i := range m.Changed() {
			if disk[i] = m.Bucket(i); len(disk[i]) == 0 {
				delete(disk, i)
			}
		}
		if again := m.Changed(); len(again) != 0 {
			t.Fatalf("buckets %v changed by being asked for", again)
		}
		restored := map[string]*Machine{"snapshot": New(), "buckets": New()}
		var snapshot bytes.Buffer
		if err := m.Snapshot(&snapshot); err != nil {
			t.Fatal(err)
		}
		run(t, restored["snapshot"], Put("to be", "replaced"))
		if err := restored["snapshot"].Restore(&snapshot); err != nil {
			t.Fatal(err)
		}
		if err := restored["buckets"].RestoreBuckets(maps.All(disk)); err != nil {
			t.Fatal(err)
		}
		for from, r := range restored {
			if r.Digest() != m.Digest() || r.store.bytes != m.store.bytes || len(r.Changed()) != 0 {
				t.Fatalf("round %d: restored from its %s, the state is another", round, from)
			}
		}
		got := make(map[string]string)
		for i := range m.store.buckets {
			maps.Copy(got, m.store.buckets[i].values)
		}
		if !maps.Equal(got, model) {
			t.Fatalf("round %d: the state is %v, want %v", round, got, model)
		}
	}
}

// TestDigestFollowsTheStateOnly: not the way there, nor when it was asked for.
func TestDigestFollowsTheStateOnly(t *testing.T) {
	one, two := &store{}, &store{}
	keys := make([]string, 500)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	for _, key := range keys {
		one.put(key, key)
		one.digest(messages.Digest{})
	}
	slices.Reverse(keys)
	two.put("gone", "x")
	for _, key := range keys {
		two.put(key, "other")
	}
	two.digest(messages.Digest{})
	for _, key := range keys {
		two.put(key, key)
	}
	two.set("gone", write{deleted: true, bucket: bucketOf("gone")})
	if one.digest(messages.Digest{}) != two.digest(messages.Digest{}) {
		t.Error("one state has two digests")
	}
	two.put("k7", "k8")
	if one.digest(messages.Digest{}) == two.digest(messages.Digest{}) {
		t.Error("a value changed and the digest did not")
	}
}

func TestDamagedSnapshots(t *testing.T) {
	m := New()
	for i := range 200 {
		run(t, m, Put(fmt.Sprint("key ", i%150), strings.Repeat("v", i)))
	}
	var buffer bytes.Buffer
	if err := m.Snapshot(&buffer); err != nil {
		t.Fatal(err)
	}
	snapshot := buffer.Bytes()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		if New().Restore(bytes.NewReader(snapshot[:rng.IntN(len(snapshot))])) == nil {
			t.Fatal("a snapshot that was cut off was restored")
		}
		changed := slices.Clone(snapshot)
		at := rng.IntN(len(changed))
		changed[at] ^= 1 << rng.IntN(8)
		if r := New(); r.Restore(bytes.NewReader(changed)) == nil && r.Digest() == m.Digest() {
			t.Fatalf("byte %d of the snapshot was changed and nothing noticed", at)
		}
	}
}

func FuzzParseOperation(f *testing.F) {
	for _, o := range []Operation{Put("k", "v"), Get("k"), Delete("k"), CompareAndSwap("k", nil, "v"), CompareAndSwap("k", pointer("u"), "v")} {
		b, err := o.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		o, err := Parse(payload)
		if err != nil {
			return
		}
		if again, err := o.Encode(); err != nil || !bytes.Equal(again, payload) {
			t.Fatalf("%x is %+v is %x, %v", payload, o, again, err)
		}
	})
}

// BenchmarkPut is what a write costs in a state of a million keys, and what the
// checkpoint after 131072 of them does.
func BenchmarkPut(b *testing.B) {
	m := New()
	for i := range 1_000_000 {
		m.store.put(fmt.Sprint("key ", i), "a value of some forty bytes, as is usual")
	}
	m.Digest()
	m.Changed()
	ops := make([]replica.Operation, messages.BatchVerticesMax)
	b.Run("apply", func(b *testing.B) {
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range ops {
			payload, _ := Put(fmt.Sprint("key ", rng.IntN(1_000_000)), "a value of some forty bytes, as is usual").Encode()
			ops[i] = operation(b, payload)
		}
		b.ResetTimer()
		for range b.N {
			m.Apply(1, ops)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(ops)), "ns/operation")
	})
	b.Run("checkpoint", func(b *testing.B) {
		for range b.N {
			for i := range m.store.buckets {
				b := &m.store.buckets[i]
				b.dirty, b.changed, b.encoded = true, true, nil
			}
			m.Digest()
			for _, i := range m.Changed() {
				m.Bucket(i)
			}
		}
	})
}
