package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/cmd/replica/home"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// demoFault is what a member does from half-way on.
type demoFault struct {
	name   string
	does   string // "replica 0 …"
	leader bool   // it happens to the leader; to a backup otherwise
	// behaviour is nil for a crash.
	behaviour func() byzantine.Behaviour
	// violation is what the others charge the member with, if it lies.
	violation string
}

// The demo goes on when all is final, until the fault has shown: few vertices are
// final before it has, and who says nothing is not suspected at once.
const (
	showTimeout = 20 * time.Second // at most
	showPace    = 10 * time.Millisecond
)

var demoFaults = []demoFault{
	{"leader-crash", "crashes", true, nil, ""},
	{"leader-silent", "says nothing any more", true, byzantine.Mute, ""},
	{"leader-slow", "proposes everything two seconds late", true, func() byzantine.Behaviour { return byzantine.Slow(2 * time.Second) }, ""},
	{"leader-censors", "loses what some callers propose", true, byzantine.Censoring, ""},
	{"equivocate", "tells different members different batches", true, byzantine.Equivocating, "equivocation"},
	{"conflicting-votes", "votes twice", false, byzantine.DoubleVoting, "equivocation"},
	{"forge-signature", "forges votes and certificates", false, byzantine.Forging, "invalid_signature"},
	{"garbage", "floods the others with well-formed garbage", false, byzantine.Flooding, "equivocation"},
	{"mute", "says nothing any more", false, byzantine.Mute, "non_participation"},
}

func faultByName(name string) (demoFault, bool) {
	i := slices.IndexFunc(demoFaults, func(f demoFault) bool { return f.name == name })
	if i < 0 {
		return demoFault{}, false
	}
	return demoFaults[i], true
}

func faultNames() string {
	names := make([]string, len(demoFaults))
	for i, f := range demoFaults {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

// strike lets a fault happen and watches what comes of it. A nil one is none.
type strike struct {
	fault   demoFault
	genesis *messages.Genesis
	keyring *crypto.Keyring
	members []*byzantine.Member
	turned  context.Context // ends when the member turns faulty
	turn    context.CancelFunc
	victim  atomic.Int64  // the faulty member, -1 before
	shown   chan struct{} // closed when the others charge it, or go on under another leader

	mu     sync.Mutex
	result strikeReport
	begin  time.Time
}

// strikeReport is what came of a fault. Times count from it; zero is never.
type strikeReport struct {
	Name        string         `json:"name"`
	Replica     messages.Index `json:"replica"`
	View        messages.View  `json:"view"` // at the time
	SuspectedMS float64        `json:"suspected_ms,omitempty"`
	Reason      string         `json:"reason,omitempty"`
	ViewMS      float64        `json:"view_ms,omitempty"`
	NextFinalMS float64        `json:"next_final_ms,omitempty"`
	Violations  []string       `json:"violations,omitempty"`
	Shown       bool           `json:"shown"`
	More        int            `json:"more_vertices,omitempty"` // proposed beyond those asked for, until it showed
	BannedBy    int            `json:"banned_by"`
	Reputation  float64        `json:"reputation"` // the lowest a correct replica gives it

	does string
}

var errTurnedFaulty = errors.New("the replica turned faulty")

func newStrike(o demoOptions, g *messages.Genesis) (*strike, error) {
	fault, ok := faultByName(o.fault)
	if !ok {
		return nil, nil
	}
	keyring, err := crypto.NewKeyring(g)
	if err != nil {
		return nil, err
	}
	s := &strike{fault: fault, genesis: g, keyring: keyring, shown: make(chan struct{})}
	s.turned, s.turn = context.WithCancel(context.Background())
	s.victim.Store(-1)
	return s, nil
}

// options let replica i, whose turn it may be, misbehave later.
func (s *strike) options(i int, h *home.Home) []replica.Option {
	if s == nil || s.fault.behaviour == nil {
		return nil
	}
	member := byzantine.New(byzantine.Config{
		Self: messages.Index(i), Genesis: s.genesis, Keyring: s.keyring, Key: h.ReplicaConfig().Key, Clock: runtime.RealClock(), Rand: runtime.SecureRand(),
	})
	s.members = append(s.members, member)
	return []replica.Option{replica.WithTransportWrapper(func(t cluster.Transport) cluster.Transport { return member.Transport(t) })}
}

// hit reports whether replica i is the faulty one.
func (s *strike) hit(i int) bool { return s != nil && int(s.victim.Load()) == i }

// until gives a context that ends when replica i turns faulty.
func (s *strike) until(ctx context.Context, i int) (context.Context, context.CancelFunc) {
	if s == nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.turned, func() {
		if s.hit(i) {
			cancel(errTurnedFaulty)
		}
	})
	return ctx, func() { stop(); cancel(nil) }
}

// watch waits for the time to strike, and then for what the others make of it,
// until the function it returns is called.
func (s *strike) watch(ctx context.Context, c *demoCluster, now func() bool) (finish func()) {
	if s == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for !now() {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
		s.happen(ctx, c)
	}()
	return func() { cancel(); <-ended }
}

// happen turns the member faulty and follows a correct one.
func (s *strike) happen(ctx context.Context, c *demoCluster) {
	status := c.Replicas[0].Status()
	victim := int(status.Leader)
	if !s.fault.leader {
		victim = (victim + len(c.Replicas) - 1) % len(c.Replicas)
	}
	witness := c.Replicas[(victim+1)%len(c.Replicas)]
	events := witness.Subscribe(1 << 12)
	defer events.Close()
	s.mu.Lock()
	s.begin = time.Now()
	s.result = strikeReport{Name: s.fault.name, Replica: messages.Index(victim), View: status.View, More: s.result.More, does: s.fault.does}
	s.mu.Unlock()
	s.victim.Store(int64(victim))
	s.turn()
	if s.fault.behaviour == nil {
		stop, cancel := context.WithTimeout(context.Background(), stopTimeout)
		_ = c.Replicas[victim].Stop(stop) // stopping it again tells
		cancel()
	} else {
		s.members[victim].Behave(s.fault.behaviour())
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e, open := <-events.C:
			if !open {
				return
			}
			s.note(e)
		}
	}
}

// note takes the first of each kind of event.
func (s *strike) note(e messages.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := func(at *float64) bool {
		if *at != 0 {
			return false
		}
		*at = milliseconds(time.Since(s.begin))
		return true
	}
	r := &s.result
	switch e := e.(type) {
	case messages.LeaderSuspected:
		if e.Leader == r.Replica && e.Reason != "" && first(&r.SuspectedMS) {
			r.Reason = e.Reason
		}
	case messages.ViewChanged:
		if e.View > r.View {
			first(&r.ViewMS)
		}
	case messages.Finalized:
		if e.View > r.View && e.Executed > 0 && first(&r.NextFinalMS) && s.fault.violation == "" {
			s.show()
		}
	case messages.ViolationDetected:
		if e.Member == r.Replica && !slices.Contains(r.Violations, e.Type) {
			r.Violations = append(r.Violations, e.Type)
			if e.Type == s.fault.violation {
				s.show()
			}
		}
	case messages.Checkpointed, messages.StateInstalled, messages.MemberBanned, messages.BanEnded, messages.EvidenceFound, messages.InvalidNewViewFound,
		messages.KeyUsedElsewhere:
	}
}

// show says that the others have noticed the fault; that is told once.
func (s *strike) show() {
	s.result.Shown = true
	close(s.shown)
}

// prolong proposes one vertex after the other until the fault has shown, or it is too
// late for that.
func (s *strike) prolong(ctx context.Context, c *demoCluster, l *loader) error {
	if s == nil {
		return nil
	}
	over, pace := time.NewTimer(showTimeout), time.NewTicker(showPace)
	defer over.Stop()
	defer pace.Stop()
	creator := sha256.Sum256([]byte("the demo goes on"))
	for nonce, door := uint64(1), 0; ; nonce++ {
		select {
		case <-s.shown:
			return nil
		case <-over.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-pace.C:
		}
		group := []replica.Vertex{{Payload: make([]byte, l.payload), Creator: creator, Nonce: nonce}}
		if _, err := l.propose(ctx, c, &door, group); err != nil {
			return err
		}
		door = (door + 1) % len(c.Replicas)
		s.mu.Lock()
		s.result.More++
		s.mu.Unlock()
	}
}

// correct are the ledgers of all but the faulty member.
func (s *strike) correct(ledgers []*demoLedger) []*demoLedger {
	var list []*demoLedger
	for i, l := range ledgers {
		if !s.hit(i) {
			list = append(list, l)
		}
	}
	return list
}

// report sums up, with what the correct replicas think of the faulty one.
func (s *strike) report(statuses []replica.Status) *strikeReport {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.result
	r.Reputation = 1
	for i, st := range statuses {
		if s.hit(i) {
			continue
		}
		for _, p := range st.Peers {
			if p.Replica == r.Replica {
				r.Reputation = min(r.Reputation, p.Reputation)
				if p.Banned {
					r.BannedBy++
				}
			}
		}
	}
	return &r
}

// write tells people.
func (r *strikeReport) write(w io.Writer) error {
	if r == nil {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nhalf-way replica %d %s, in view %d\n", r.Replica, r.does, r.View)
	if r.SuspectedMS > 0 {
		fmt.Fprintf(&b, "suspected after %.0f ms: %s\n", r.SuspectedMS, r.Reason)
	}
	if r.ViewMS > 0 {
		fmt.Fprintf(&b, "next view entered after %.0f ms, next vertex final in it after %.0f ms\n", r.ViewMS, r.NextFinalMS)
	}
	switch {
	case !r.Shown:
		fmt.Fprintf(&b, "the others made nothing of it within %v and %d more vertices\n", showTimeout, r.More)
	case r.More > 0:
		fmt.Fprintf(&b, "%d more vertices were proposed until that showed\n", r.More)
	}
	for _, v := range r.Violations {
		fmt.Fprintf(&b, "caught at: %s\n", v)
	}
	if r.BannedBy > 0 || r.Reputation < 1 {
		fmt.Fprintf(&b, "reputation %.1f, banned by %d\n", r.Reputation, r.BannedBy)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
