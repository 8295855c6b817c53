package testkit_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/kvstore"
	"github.com/cretoai/consensus/testkit"
)

// The whole test is -histories 50 -operations 1000.
var (
	histories  = flag.Int("histories", 2, "how many histories TestX1_TheStoreIsLinearizable makes")
	operations = flag.Int("operations", 300, "how many operations each has")
)

// Clients and keys of a history: few keys, so that operations meet.
const (
	historyClients = 8
	historyKeys    = 4
)

// kvInput is an operation as porcupine sees it, and kvOutput what came of it.
type (
	kvInput struct {
		what, key, value string
		expect           *string // of a swap; nil expects no key
	}
	kvOutput struct {
		answer kvstore.Answer
		known  bool
	}
	kvState struct {
		value   string
		present bool
	}
)

// kvModel is one key. An operation whose answer is not known may have answered
// anything; one that perhaps was never executed ends after everything else, so
// that its effect may be seen by nobody.
var kvModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		keys := make(map[string][]porcupine.Operation)
		for _, o := range history {
			key := o.Input.(kvInput).key
			keys[key] = append(keys[key], o)
		}
		var parts [][]porcupine.Operation
		for _, part := range keys {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return kvState{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(kvState), input.(kvInput), output.(kvOutput)
		var want kvstore.Answer
		next := s
		switch in.what {
		case "put":
			want, next = kvstore.Answer{Done: true}, kvState{in.value, true}
		case "get":
			want = kvstore.Answer{Done: s.present, Present: s.present, Value: s.value}
		case "delete":
			want, next = kvstore.Answer{Done: s.present}, kvState{}
		case "swap":
			if s.present != (in.expect != nil) || s.present && s.value != *in.expect {
				want = kvstore.Answer{Present: s.present, Value: s.value}
			} else {
				want, next = kvstore.Answer{Done: true}, kvState{in.value, true}
			}
		}
		return !out.known || out.answer == want, next
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
}

// history is one run: clients against a cluster that is being broken.
type history struct {
	t        *testing.T
	c        *testkit.Cluster
	begin    time.Time
	replicas [4]atomic.Pointer[replica.Replica] // nil while down
	left     atomic.Int64                       // operations to begin
	ended    chan struct{}                      // a token an operation
	mu       sync.Mutex
	list     []porcupine.Operation
	unknown  int
	retried  int
}

// TestX1_TheStoreIsLinearizable runs clients that retry whatever is not answered
// at once, at any replica and sometimes at two, while the leader is killed and
// comes back, and another is cut off. Whatever they were told must fit one order
// in which each operation happened once, between its call and its answer.
func TestX1_TheStoreIsLinearizable(t *testing.T) {
	for n := range *histories {
		t.Run(fmt.Sprint("history ", n), func(t *testing.T) {
			h := runHistory(t, uint64(n))
			t.Logf("%d operations, %d retried, %d of unknown outcome, in view %d at the end",
				len(h.list), h.retried, h.unknown, h.c.Replica(0).CurrentView())
			if h.c.Replica(0).CurrentView() == 0 {
				t.Error("no view change")
			}
			if h.retried == 0 {
				t.Error("no retry")
			}
			switch porcupine.CheckOperationsTimeout(kvModel, h.list, 2*time.Minute) {
			case porcupine.Illegal:
				t.Error("the history is not linearizable")
			case porcupine.Unknown:
				t.Error("whether the history is linearizable was not found out in time")
			}
		})
	}
}

func runHistory(t *testing.T, seed uint64) *history {
	t.Helper()
	h := &history{t: t, begin: time.Now(), ended: make(chan struct{}, *operations)}
	h.c = testkit.New(t, 4, testkit.WithScheme("ml-dsa-44"), testkit.WithLogLevel(zerolog.ErrorLevel),
		testkit.WithParams(func(p *messages.Params) { p.CheckpointInterval, p.SnapshotInterval, p.Window = 16, 64, 32 }),
		testkit.WithReplica(func(int) []replica.Option {
			return []replica.Option{replica.WithStateMachine(kvstore.New())}
		}))
	for i := range h.replicas {
		h.start(i)
	}
	h.left.Store(int64(*operations))
	var clients sync.WaitGroup
	for client := range historyClients {
		rng := rand.New(rand.NewPCG(seed, uint64(client)))
		clients.Go(func() { h.client(client, rng) })
	}
	h.breakThings(rand.New(rand.NewPCG(seed, 1<<32)))
	clients.Wait()
	h.c.AwaitEqual(h.c.Replica(0).CurrentSequence())
	return h
}

func (h *history) start(i int) {
	h.c.Start(i)
	h.replicas[i].Store(h.c.Replica(i))
}

// breakThings goes by what the clients have done, so that something is under way
// at each turn.
func (h *history) breakThings(rng *rand.Rand) {
	after := func(part int) {
		for range *operations / 8 * part {
			<-h.ended
		}
	}
	leader := func() int {
		for i := range h.replicas {
			if r := h.replicas[i].Load(); r != nil && r.IsLeader() {
				return i
			}
		}
		return rng.IntN(len(h.replicas))
	}
	after(1)
	dead := leader()
	h.replicas[dead].Store(nil)
	h.c.Kill(dead)
	after(2)
	h.start(dead)
	after(1)
	lonely := leader()
	var others []int
	for i := range h.replicas {
		if i != lonely {
			others = append(others, i)
		}
	}
	h.c.Partition(others)
	after(2)
	h.c.Heal()
	after(1)
	h.replicas[lonely].Store(nil)
	h.c.Kill(lonely)
	h.start(lonely)
}

// client does one operation after the other, under a creator of its own.
func (h *history) client(id int, rng *rand.Rand) {
	for nonce := uint64(1); h.left.Add(-1) >= 0; nonce++ {
		in, o := randomOperation(rng, fmt.Sprintf("%d.%d", id, nonce))
		v := replica.Vertex{Creator: [32]byte{0xc, byte(id)}, Nonce: nonce, Expires: 1 << 19}
		call := h.now()
		out, executed := h.do(rng, v, o)
		done := porcupine.Operation{ClientId: id, Input: in, Call: call, Output: out, Return: h.now()}
		if !executed {
			done.Return = math.MaxInt64
		}
		h.mu.Lock()
		h.list = append(h.list, done)
		h.mu.Unlock()
		h.ended <- struct{}{}
	}
}

func (h *history) now() int64 { return time.Since(h.begin).Nanoseconds() }

// randomOperation writes values nobody else writes. Swaps guess, mostly wrongly:
// what they answer tells as much as a Get.
func randomOperation(rng *rand.Rand, value string) (kvInput, kvstore.Operation) {
	in := kvInput{key: fmt.Sprint("key ", rng.IntN(historyKeys)), value: value}
	switch rng.IntN(6) {
	case 0, 1:
		in.what = "put"
		return in, kvstore.Put(in.key, value)
	case 2:
		in.what = "delete"
		return in, kvstore.Delete(in.key)
	case 3:
		in.what = "swap"
		return in, kvstore.CompareAndSwap(in.key, nil, value)
	}
	in.what = "get"
	return in, kvstore.Get(in.key)
}

// do has an operation executed, if it can. Every attempt is the same vertex.
func (h *history) do(rng *rand.Rand, v replica.Vertex, o kvstore.Operation) (out kvOutput, executed bool) {
	for attempt := range 40 {
		if attempt == 4 && rng.IntN(4) == 0 {
			break // some give up, and never know
		}
		patience := time.Duration(5<<min(attempt, 8)) * time.Millisecond
		r := h.replicas[rng.IntN(len(h.replicas))].Load()
		if r == nil {
			continue
		}
		a, err := h.ask(r, v, o, patience)
		if err == nil {
			if rng.IntN(3) == 0 { // once more, though it was answered: it may come to be executed much later
				h.askAnother(rng, v, o)
			}
			return kvOutput{a, true}, true
		}
		h.count(&h.retried)
		var notFinal *replica.NotFinalError
		switch {
		case errors.Is(err, kvstore.ErrAnswerGone):
			return kvOutput{}, true
		case errors.As(err, &notFinal), errors.As(err, new(*replica.NotProposedError)), errors.Is(err, replica.ErrStopped), errors.Is(err, replica.ErrPoolFull):
		default:
			h.t.Errorf("an operation is answered with %v", err)
			return kvOutput{}, false
		}
	}
	h.count(&h.unknown)
	return kvOutput{}, false
}

// askAnother proposes the vertex at another replica and does not wait.
func (h *history) askAnother(rng *rand.Rand, v replica.Vertex, o kvstore.Operation) {
	if r := h.replicas[rng.IntN(len(h.replicas))].Load(); r != nil {
		_, _ = h.ask(r, v, o, 0)
	}
}

func (h *history) ask(r *replica.Replica, v replica.Vertex, o kvstore.Operation, patience time.Duration) (kvstore.Answer, error) {
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	a, _, err := kvstore.Do(ctx, r, v, o)
	return a, err
}

func (h *history) count(n *int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*n++
}
