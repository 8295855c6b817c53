package testkit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/kvstore"
	"github.com/cretoai/consensus/testkit"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// keyValues has all replicas run the key-value store.
var keyValues = testkit.WithReplica(func(int) []replica.Option { return []replica.Option{replica.WithStateMachine(kvstore.New())} })

// transferBytes is how much key-value state TestR4_TheStateOfAStoreIsTransferred
// transfers: a little, or what the environment asks for.
func transferBytes(t testing.TB) int {
	text := os.Getenv("TRANSFER_BYTES")
	if text == "" {
		return 2 << 20
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("TRANSFER_BYTES: %v", err)
	}
	return n
}

// transferInMemory is up to which size the disks are memory: four of them, beside
// four states that are.
const transferInMemory = 64 << 20

// longerIntervals go with a large state: whoever is late by the eight sequences of
// shortIntervals would have to fetch all of it again, and be late by more.
var longerIntervals = testkit.WithParams(func(p *messages.Params) {
	p.CheckpointInterval, p.Window, p.SnapshotInterval = 16, 32, 128
})

// awaitSequence waits until a replica executed a sequence, however long a large
// state takes.
func awaitSequence(t testing.TB, c *testkit.Cluster, i int, seq messages.Seq, patience time.Duration) {
	t.Helper()
	for began := time.Now(); c.Replica(i).CurrentSequence() < seq; c.AwaitHeartbeat(i) {
		if time.Since(began) > patience {
			t.Fatalf("replica %d is at %d after %v, not at %d: %+v", i, c.Replica(i).CurrentSequence(), patience, seq, c.Replica(i).Status().Transfer)
		}
	}
}

// fillStore puts so many bytes into the store, in batches, and gives one key with
// its value.
func fillStore(t testing.TB, c *testkit.Cluster, at, bytes int) (key, value string) {
	t.Helper()
	const each = 64 << 10
	n := bytes / each
	for begun := 0; begun < n; {
		var vertices []replica.Vertex
		for ; begun < n && len(vertices) < 64; begun++ {
			key, value = fmt.Sprintf("key %d", begun), strings.Repeat(string(rune('a'+begun%26)), each)
			payload, err := kvstore.Put(key, value).Encode()
			if err != nil {
				t.Fatal(err)
			}
			vertices = append(vertices, replica.Vertex{Payload: payload})
		}
		for _, r := range c.ProposeAll(at, vertices) {
			if r.Result.Failed {
				t.Fatalf("a put failed: %s", r.Result.Data)
			}
		}
	}
	return key, value
}

// get reads a key through consensus at a replica.
func get(t testing.TB, c *testkit.Cluster, at int, key string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	answer, _, err := kvstore.Do(ctx, c.Replica(at), replica.Vertex{}, kvstore.Get(key))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Value
}

// A replica that lost its disk gets the whole state of a key-value store, and then
// answers and votes as the others do; with a member among the three others that
// serves wrong parts, parts without end, or nothing.
func TestR4_TheStateOfAStoreIsTransferred(t *testing.T) {
	for name, ways := range map[string][]byzantine.StateLie{
		"honest": nil, "wrong": {byzantine.WrongParts}, "endless": {byzantine.EndlessParts}, "stalled": {byzantine.StalledParts},
		"wrong manifests": {byzantine.WrongManifests}, "boasts": {byzantine.BoastsOfState},
	} {
		t.Run(name, func(t *testing.T) {
			if raced && name != "endless" {
				t.Skip("one member that lies is raced")
			}
			bytes := transferBytes(t)
			options := []testkit.Option{shortIntervals, shortLedgers, keyValues}
			if bytes > transferInMemory {
				options = append(options, longerIntervals, testkit.WithFolder(t.TempDir()), testkit.WithSegmentBytes(16<<20), testkit.WithLogLevel(zerolog.WarnLevel))
			}
			c := testkit.NewCluster(t, 4, options...)
			key, value := fillStore(t, c, 0, bytes)
			c.AwaitEqual(c.Propose(3, "with a disk"))
			c.Kill(3)
			for i := range 3 {
				awaitTrimmed(t, c, i, 4)
			}
			if ways != nil {
				c.Byzantine(1, byzantine.LyingState(ways...))
			}
			if bytes > transferInMemory {
				if err := os.RemoveAll(c.Home(3)); err != nil {
					t.Fatal(err)
				}
			} else {
				c.SetDisk(3, vfs.NewMem())
			}
			began := time.Now()
			c.Start(3)
			awaitSequence(t, c, 3, c.Propose(0, "without"), time.Duration(bytes>>20)*time.Second+time.Minute)
			t.Logf("%.0f bytes of parts, there after %v", c.Metric(3, "cretoai_consensus_state_transfer_bytes_total"), time.Since(began))
			if n := transfers(c, 3); n < 1 {
				t.Fatalf("%v states were transferred", n)
			}
			awaitVoter(t, c, 3)
			if got := get(t, c, 3, key); got != value {
				t.Errorf("%q has a value of %d bytes, not %d", key, len(got), len(value))
			}
			c.AwaitEqual(c.Propose(3, "and on"))
			if charges := c.Metric(3, "cretoai_consensus_byzantine_violations_total", "type", "protocol"); (charges > 0) != (name == "wrong") && name != "wrong manifests" {
				t.Errorf("%v charges for what was served", charges)
			}
			for _, honest := range []messages.Index{0, 2} {
				if score := c.Replica(3).Detector().Reputation(honest); score < 0.9 {
					t.Errorf("it thinks ill of member %d: %v", honest, score)
				}
			}
		})
	}
}

// piece is an application whose state is one piece: all payloads.
type piece struct{ state []byte }

func (p *piece) Apply(_ messages.Seq, ops []replica.Operation) {
	for _, op := range ops {
		p.state = append(append(p.state, op.Vertex.Payload()...), '\n')
	}
}
func (p *piece) Digest() messages.Digest { return sha256.Sum256(p.state) }

func (p *piece) Snapshot(w io.Writer) error {
	_, err := w.Write(p.state)
	return err
}

func (p *piece) Restore(r io.Reader) (err error) {
	p.state, err = io.ReadAll(r)
	return err
}

// An application whose state is one piece is transferred, too: its own digest
// says whether what came is right, and who sent a manifest of something else is
// left.
func TestR4_AStateInOnePieceIsTransferred(t *testing.T) {
	for name, lying := range map[string]bool{"honest": false, "wrong manifests": true} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			apps := make(map[int]*piece)
			c := testkit.NewCluster(t, 4, shortIntervals, shortLedgers, testkit.WithReplica(func(i int) []replica.Option {
				mu.Lock()
				defer mu.Unlock()
				apps[i] = &piece{}
				return []replica.Option{replica.WithStateMachine(apps[i])}
			}))
			c.AwaitEqual(c.Propose(3, strings.Repeat("x", 100<<10)))
			c.Kill(3)
			proposeSequences(c, 0, 30)
			for i := range 3 {
				awaitTrimmed(t, c, i, 8)
			}
			if lying {
				c.Byzantine(1, byzantine.LyingState(byzantine.WrongManifests))
			}
			c.Start(3)
			c.Await(3, c.Propose(0, "and on"))
			c.AwaitEqual(c.Propose(3, "it votes"))
			for i := range 4 {
				c.Kill(i)
			}
			if !bytes.Equal(apps[3].state, apps[0].state) {
				t.Error("the states differ")
			}
		})
	}
}

// unheard is a member whose votes nobody hears: one of its lives may go back to a
// disk of before another, and its votes do not tell.
type unheard struct{}

func (unheard) Send(_ *byzantine.Member, f byzantine.Frame, pass func(byzantine.Frame)) {
	if _, votes := f.Message.(*messages.Bundles); !votes {
		pass(f)
	}
}

func (unheard) Receive(*byzantine.Member, messages.Index, messages.Message) bool { return true }

// A crash at any write of a transfer leaves a replica that comes back: with the
// state before, or the one that was fetched, and never with half of one.
func TestR4_ACrashAtAnyWriteOfATransfer(t *testing.T) {
	mem := vfs.NewCrashableMem()
	var mu sync.Mutex
	var images []*vfs.MemFS
	armed, writes, rng := false, 0, rand.New(rand.NewPCG(1, 2))
	watched := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if !armed || op.Kind.ReadOrWrite() != errorfs.OpIsWrite || !strings.Contains(op.Path, "state") {
			return nil
		}
		if writes++; writes%3 == 0 && len(images) < 40 {
			cfg := vfs.CrashCloneCfg{}
			if writes%2 == 0 {
				cfg = vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rng} // a crash of the process
			}
			images = append(images, mem.CrashClone(cfg))
		}
		return nil
	}))
	c := testkit.NewCluster(t, 4, shortIntervals, shortLedgers, keyValues, testkit.WithDisks(func(i int) vfs.FS {
		if i == 3 {
			return watched
		}
		return vfs.NewMem()
	}))
	c.AwaitEqual(c.Propose(3, "all are there"))
	c.Kill(3)
	key, value := fillStore(t, c, 0, 1<<20)
	proposeSequences(c, 0, 30)
	for i := range 3 {
		awaitTrimmed(t, c, i, 8)
	}
	mu.Lock()
	armed = true
	mu.Unlock()
	c.Byzantine(3, unheard{})
	c.Start(3)
	last := c.Propose(0, "on")
	c.Await(3, last)
	mu.Lock()
	armed = false
	mu.Unlock()
	if transfers(c, 3) < 1 || len(images) < 5 {
		t.Fatalf("%v states were transferred, with %d images", transfers(c, 3), len(images))
	}
	resumed := 0
	for i, image := range images {
		c.Kill(3)
		c.SetDisk(3, image)
		c.Start(3)
		c.AwaitEqual(last)
		if t.Logf("after a crash at write %d: %v transfers", 3*(i+1), transfers(c, 3)); transfers(c, 3) == 0 {
			resumed++
		}
	}
	if resumed == 0 {
		t.Error("no crash left what was fetched")
	}
	c.AwaitEqual(c.Propose(0, "the end"))
	if got := get(t, c, 3, key); got != value {
		t.Fatalf("%q has a value of %d bytes, not %d", key, len(got), len(value))
	}
}
