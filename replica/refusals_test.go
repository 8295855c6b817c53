package replica_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// proposals are the ways to propose, each with one vertex.
func proposals(r *replica.Replica) map[string]func(context.Context, replica.Vertex) error {
	return map[string]func(context.Context, replica.Vertex) error{
		"Propose": func(ctx context.Context, v replica.Vertex) error { _, err := r.Propose(ctx, v); return err },
		"ProposeAll": func(ctx context.Context, v replica.Vertex) error {
			_, err := r.ProposeAll(ctx, []replica.Vertex{v})
			return err
		},
		"Submit": func(ctx context.Context, v replica.Vertex) error {
			s, err := r.Submit(ctx, []replica.Vertex{v})
			if err == nil && s.Refused != nil {
				err = s.Refused[0]
			}
			return err
		},
	}
}

func TestANonceBelongsToACreator(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	for way, propose := range proposals(c.Replica(0)) {
		if err := propose(t.Context(), replica.Vertex{Payload: []byte("once"), Nonce: 7}); !errors.Is(err, replica.ErrNonceAlone) {
			t.Errorf("%s of a nonce without a creator: %v", way, err)
		}
	}
	if got := c.Replica(0).Status().Pending; got != 0 {
		t.Errorf("%d refused vertices wait to be finalised", got)
	}
}

// TestAnEndedContextProposesNothing: nobody waits for it, so nothing is taken.
func TestAnEndedContextProposesNothing(t *testing.T) {
	c := testkit.New(t, 4)
	c.Start(0) // alone: what is taken stays
	why := errors.New("the caller has gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	for way, propose := range proposals(c.Replica(0)) {
		err := propose(ctx, replica.Vertex{Payload: []byte("late")})
		if !errors.As(err, new(*replica.NotProposedError)) || !errors.Is(err, why) {
			t.Errorf("%s: %v", way, err)
		}
	}
	if got := c.Replica(0).Status().Pending; got != 0 {
		t.Errorf("%d vertices wait to be finalised", got)
	}
}

// patient is a context that ends when somebody has waited for it a number of times.
type patient struct {
	context.Context
	times int
	end   context.CancelFunc
}

func (p *patient) Done() <-chan struct{} {
	if p.times--; p.times < 0 {
		p.end()
	}
	return p.Context.Done()
}

// TestWhatFoundNoRoomIsTold: of more vertices than the pool holds, those that were
// not taken are not said to be proposed.
func TestWhatFoundNoRoomIsTold(t *testing.T) {
	c := testkit.New(t, 4)
	c.Start(0)
	propose := func() (not *replica.NotFinalError, err error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err = c.Replica(0).ProposeAll(&patient{Context: ctx, end: cancel}, vertices(10010))
		errors.As(err, &not)
		return not, err
	}
	not, err := propose()
	if pending := c.Replica(0).Status().Pending; not.Missing != 10010 || not.Untaken != 10010-pending || !strings.Contains(err.Error(), "the last 10,") {
		t.Errorf("%d wait, and the error is %v", pending, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Restart(0) // with room again
	s, err := c.Replica(0).Submit(&patient{Context: ctx, end: cancel}, vertices(10010))
	if err != nil {
		t.Fatalf("submitted with room for some: %v", err)
	}
	receipts, err := s.Wait(ctx)
	if !errors.As(err, &not) || not.Untaken != 10 || receipts[9999].Vertex != not.Vertices[9999] || receipts[10000] != (replica.Receipt{}) {
		t.Errorf("of what was submitted with room for some: %v", err)
	}
	if _, err = propose(); !errors.As(err, new(*replica.NotProposedError)) {
		t.Errorf("with a full pool: %v", err)
	}
}

func TestAHaltedReplicaSaysSoAtOnce(t *testing.T) {
	c := testkit.NewCluster(t, 4, applications(func(i int) replica.StateMachine { return &drifting{own: byte(i / 3)} }))
	proposeMany(c, 0, 130)
	c.AwaitStable(0, 128)
	r := c.Replica(3)
	for r.Status().Halted == "" {
		c.Propose(0, "the others go on without it")
	}
	ways := proposals(r)
	ways["Nonces"] = func(ctx context.Context, v replica.Vertex) error { _, err := r.Nonces(ctx, v.Creator); return err }
	for way, propose := range ways {
		var halted *replica.HaltedError
		err := propose(t.Context(), replica.Vertex{Payload: []byte("in vain")})
		if !errors.Is(err, replica.ErrHalted) || !errors.As(err, &halted) || halted.Reason != r.Status().Halted {
			t.Errorf("%s: %v", way, err)
		}
	}
	if _, err := r.Decided(1); err != nil {
		t.Errorf("a halted replica does not read its ledger: %v", err)
	}
}

// TestAVertexKnowsItsHash: the one its receipt has, whoever proposes it.
func TestAVertexKnowsItsHash(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	v := replica.Vertex{Payload: []byte("named"), Creator: [32]byte{1}, Expires: 1000, Timestamp: 5}
	hash, err := v.Hash()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		receipt, err := c.Replica(i).Propose(t.Context(), v)
		if err != nil || receipt.Vertex != hash || receipt.Outcome != pbft.Fresh {
			t.Errorf("vertex %v has receipt %+v: %v", hash, receipt, err)
		}
	}
	for _, v := range []replica.Vertex{
		{Payload: []byte("whose?"), Nonce: 1, Expires: 1000},
		{Payload: []byte("until when?"), Creator: [32]byte{1}},
	} {
		if _, err := v.Hash(); !errors.Is(err, replica.ErrNoHash) {
			t.Errorf("%s: %v", v.Payload, err)
		}
	}
	v.Payload = nil
	if _, err := v.Hash(); !errors.Is(err, replica.ErrEmptyPayload) {
		t.Errorf("no payload: %v", err)
	}
}

func TestSequence0IsNone(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	r := c.Replica(0)
	c.Propose(0, "there is something")
	_, _, batch := r.Batch(0)
	_, decided := r.Decided(0)
	_, proof := r.Proof(replica.Receipt{})
	for what, err := range map[string]error{"Batch": batch, "Decided": decided, "Proof": proof} {
		if !errors.Is(err, replica.ErrNoSequence) || errors.Is(err, replica.ErrTrimmed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestOptionsThatMakeNoReplicaAreRefused(t *testing.T) {
	c := testkit.New(t, 4)
	cfg := replica.DefaultConfig()
	cfg.Genesis, cfg.Key, cfg.Home, cfg.SegmentBytes = c.Genesis, c.Key(0), c.Home(0), 1<<20
	silent := func() actor.Actor { return actor.ReceiveFunc(func(actor.Context) {}) }
	for want, opts := range map[string][]replica.Option{
		"option 2":         {nil},
		"WithStateMachine": {replica.WithStateMachine(nil)},
		"WithClock":        {replica.WithClock(nil)},
		"WithRand":         {replica.WithRand(nil)},
		"WithStorage":      {replica.WithStorage(nil)},
		`the name ""`:      {replica.WithActor("", silent)},
		`"a/b"`:            {replica.WithActor("a/b", silent)},
		`two actors`:       {replica.WithActor("twin", silent), replica.WithActor("twin", silent)},
		`nothing produces`: {replica.WithActor("nobody", nil)},
	} {
		opts = append([]replica.Option{replica.WithStorage(c.Disk(0)), replica.WithTransport(c.Network.Transport(0))}, opts...)
		r, err := replica.Start(t.Context(), cfg, opts...)
		if err == nil {
			t.Errorf("%s: it was started, and stops with %v", want, r.Stop(t.Context()))
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestF3_AFinalityTimeoutHasRoomForAWait: in optimistic mode a member that is down is
// waited for two heartbeats, and no leader is to be suspected meanwhile.
func TestF3_AFinalityTimeoutHasRoomForAWait(t *testing.T) {
	for _, optimistic := range []bool{false, true} {
		c := testkit.New(t, 4, testkit.WithParams(func(p *messages.Params) { p.OptimisticMode = optimistic }))
		cfg := replica.DefaultConfig()
		cfg.Genesis, cfg.Key, cfg.Home, cfg.Heartbeat, cfg.FinalityTimeout = c.Genesis, c.Key(0), c.Home(0), 100*time.Millisecond, 299*time.Millisecond
		if err := cfg.Validate(); (err != nil && strings.Contains(err.Error(), "three heartbeats")) != optimistic {
			t.Errorf("optimistic %t: a timeout of 299 ms is refused with %v", optimistic, err)
		}
		cfg.FinalityTimeout = 300 * time.Millisecond
		if err := cfg.Validate(); err != nil && strings.Contains(err.Error(), "three heartbeats") {
			t.Errorf("optimistic %t: 300 ms are refused: %v", optimistic, err)
		}
	}
}
