package leader

import (
	"container/heap"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
)

// A cluster is managers with stand-ins for the rest of the replica, in virtual
// time: a voter that grants every ChangeView and EnterView that moves it up, and
// work that gets done where the leader of a view and a quorum of it are in touch.
type cluster struct {
	t     *testing.T
	n     int
	now   time.Time
	nodes []*node
	queue eventQueue
	order int
	// cut loses what one member sends another.
	cut func(from, to messages.Index) bool
	// lose loses single messages.
	lose func(from, to messages.Index, message any) bool
	work []time.Time // when each vertex was handed in
	sent map[string]int
}

const (
	latency = 5 * ms
	flush   = 2 * ms
)

type node struct {
	c    *cluster
	self messages.Index
	m    *Manager
	down bool
	// idle: as a leader it gets nothing done.
	idle bool

	standing  Standing
	stood     time.Time // when the view became active
	told      Suspects
	entered   []NewView
	refused   []NewViewRefused
	executed  int // vertices
	claims    func(messages.View) *messages.ViewChangeBody
	prepared  []Prepared
	convicted []bool
	recorded  *ViewChange

	// As a liar: what it says instead.
	status func(*messages.Status)
	lie    func(EnterView) NewView
}

type event struct {
	at    time.Time
	order int
	do    func()
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].order < q[j].order
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func managerConfig(self messages.Index, n int) ManagerConfig {
	return ManagerConfig{
		Self: self, N: n, Quorum: messages.Quorum(n), Window: window, Timeout: DefaultTimeoutConfig(),
		Heartbeat: heartbeat, HeartbeatTimeout: silence,
	}
}

func newCluster(t *testing.T, n int) *cluster {
	c := &cluster{t: t, n: n, now: start, sent: make(map[string]int)}
	for i := range n {
		d := &node{c: c, self: messages.Index(i), standing: Standing{Active: true}, stood: start}
		d.m = NewManager(managerConfig(d.self, n), start)
		d.claims = func(v messages.View) *messages.ViewChangeBody { return body(v, "", "") }
		c.nodes = append(c.nodes, d)
		c.after(time.Duration(i)*7*ms, d.beat)
	}
	c.after(0, c.proceed)
	return c
}

func (c *cluster) after(d time.Duration, do func()) {
	c.order++
	heap.Push(&c.queue, event{c.now.Add(d), c.order, do})
}

// run passes time.
func (c *cluster) run(d time.Duration) {
	end := c.now.Add(d)
	for len(c.queue) > 0 && !c.queue[0].at.After(end) {
		e := heap.Pop(&c.queue).(event)
		c.now = e.at
		e.do()
	}
	c.now = end
}

// until passes time up to a limit, until a condition holds, and says how long.
func (c *cluster) until(limit time.Duration, what string, holds func() bool) time.Duration {
	c.t.Helper()
	begin := c.now
	for !holds() {
		if c.now.Sub(begin) >= limit {
			c.t.Fatalf("%s: not within %v\n%s", what, limit, c)
		}
		c.run(10 * ms)
	}
	return c.now.Sub(begin)
}

func (c *cluster) String() string {
	var s string
	for _, d := range c.nodes {
		s += fmt.Sprintf("member %d: down %t view %d active %t, %v, timeout %v, executed %d of %d\n",
			d.self, d.down, d.standing.View, d.standing.Active, d.told, d.m.Timeout(), d.executed, len(c.work))
	}
	return s
}

// send brings a message to another member, if nothing prevents it.
func (c *cluster) send(from, to messages.Index, message any, receive func(*node)) {
	if from == to || c.nodes[from].down || c.cut != nil && c.cut(from, to) || c.lose != nil && c.lose(from, to, message) {
		return
	}
	c.sent[fmt.Sprintf("%T", message)]++
	c.after(latency, func() {
		if d := c.nodes[to]; !d.down {
			receive(d)
		}
	})
}

func (d *node) broadcast(message any, receive func(*node)) {
	for i := range d.c.n {
		d.c.send(d.self, messages.Index(i), message, receive)
	}
}

// beat is a member's heartbeat.
func (d *node) beat() {
	d.c.after(heartbeat, d.beat)
	if d.down {
		return
	}
	d.perform(d.m.OnTick(d.c.now, Load{OldestVertex: d.oldest(), Convicted: d.convicted}))
	d.tell()
}

// oldest is the age of the oldest vertex not executed; timers start with the view.
func (d *node) oldest() time.Duration {
	if d.executed == len(d.c.work) || !d.standing.Active {
		return 0
	}
	since := d.c.work[d.executed]
	if d.stood.After(since) {
		since = d.stood
	}
	return d.c.now.Sub(since)
}

func (d *node) tell() {
	st := &messages.Status{
		View: d.standing.View, Active: d.standing.Active, Suspects: d.told.Suspicion.View,
		Suspicion: d.told.Suspicion.Level(), ViewChanges: d.told.Held,
	}
	if d.status != nil {
		d.status(st)
	}
	d.broadcast(st, func(to *node) { to.perform(to.m.OnStatus(to.c.now, d.self, st)) })
}

// later is what the member itself does after a flush, if it still lives.
func (d *node) later(do func() []Effect) {
	d.c.after(flush, func() {
		if !d.down {
			d.perform(do())
		}
	})
}

func (d *node) perform(out []Effect) {
	for _, e := range out {
		switch e := e.(type) {
		case Suspects:
			changed := e.Suspicion != d.told.Suspicion
			d.told = e
			if changed {
				d.tell()
			}
		case ChangeView:
			d.change(e.View)
		case EnterView:
			d.enter(e)
		case BroadcastViewChange:
			d.broadcast(e.ViewChange, func(to *node) { to.viewChange(e.ViewChange) })
		case SendViewChange:
			d.c.send(d.self, e.To, e.ViewChange, func(to *node) { to.viewChange(e.ViewChange) })
		case BroadcastNewView:
			d.broadcast(e.NewView, func(to *node) { to.newView(d.self, e.NewView) })
		case SendNewView:
			d.c.send(d.self, e.To, e.NewView, func(to *node) { to.newView(d.self, e.NewView) })
		case FetchViewChange:
			d.c.send(d.self, e.To, e, func(to *node) { to.perform(to.m.OnFetchViewChange(d.self, e.View, e.Member, e.Digest)) })
		case FetchPrepared:
			d.c.fetchPrepared(d.self, e)
		case SendPrepared:
			d.c.send(d.self, e.To, e, func(to *node) { to.perform(to.m.OnPrepared(to.c.now, e.Prepared)) })
		case NewViewRefused:
			d.refused = append(d.refused, e)
		}
	}
}

func (c *cluster) fetchPrepared(from messages.Index, e FetchPrepared) {
	answer := func(to *node) {
		out := to.m.OnFetchPrepared(from, e.Claim)
		if i := slices.IndexFunc(to.prepared, func(p Prepared) bool { return p.Claim == e.Claim }); len(out) == 0 && i >= 0 {
			out = []Effect{SendPrepared{from, to.prepared[i]}}
		}
		if to.self == from {
			for _, e := range effects[SendPrepared](out) {
				to.later(func() []Effect { return to.m.OnPrepared(to.c.now, e.Prepared) })
			}
			return
		}
		to.perform(out)
	}
	if e.To == from {
		answer(c.nodes[from])
		return
	}
	c.send(from, e.To, e, answer)
}

func (d *node) viewChange(vc ViewChange) {
	if d.m.WantsViewChange(vc.From, vc.Body.View, vc.digest()) {
		d.perform(d.m.OnViewChange(d.c.now, vc))
	}
}

func (d *node) newView(via messages.Index, nv NewView) {
	if d.m.WantsNewView(nv.Body.View, nv.digest()) {
		d.perform(d.m.OnNewView(d.c.now, via, nv))
	}
}

// change is the voter: it records a ViewChange for a higher view, once.
func (d *node) change(view messages.View) {
	if view <= d.standing.View {
		return
	}
	b := d.claims(view)
	vc := viewChange(d.self, b)
	vc.Stable = d.standing.Stable
	d.recorded = &vc
	d.standing.View, d.standing.Active = view, false
	s := d.standing
	d.later(func() []Effect { return d.m.OnStanding(d.c.now, s) })
	d.later(func() []Effect { return d.m.OnViewChange(d.c.now, vc) })
}

// enter is the voter: it enters a view that is not below its own.
func (d *node) enter(e EnterView) {
	view := e.NewView.Body.View
	if view < d.standing.View || view == d.standing.View && d.standing.Active {
		return
	}
	if e.NewView.Bundle != nil { // another's: it must be right, whatever this package thinks
		var s []*messages.ViewChangeBody
		var marks []messages.Claim
		for i, vc := range e.S {
			if ref := e.NewView.Body.ViewChanges[i]; ref.Member != vc.From || ref.Digest != vc.Body.Digest() {
				d.c.t.Fatalf("member %d enters view %d by another view-change than named", d.self, view)
			}
			s = append(s, vc.Body)
		}
		for _, p := range e.Marks {
			marks = append(marks, p.Claim)
		}
		list, used, ok := twinNewView(d.c.n, s, marks, e.NewView.Body.MinS, window)
		if !ok || !slices.Equal(list, e.NewView.Body.List) || !slices.Equal(used, e.NewView.Body.Marks) || e.NewView.Body.MinS != e.NewView.Stable.Seq {
			d.c.t.Fatalf("member %d enters view %d by a lie: %+v", d.self, view, e.NewView.Body)
		}
	}
	d.standing.View, d.standing.Active, d.stood = view, true, d.c.now
	if e.NewView.Stable.Seq > d.standing.Stable.Seq {
		d.standing.Stable = e.NewView.Stable
	}
	d.entered = append(d.entered, e.NewView)
	s := d.standing
	d.later(func() []Effect { return d.m.OnStanding(d.c.now, s) })
	if e.NewView.Bundle == nil {
		nv := newView(d.c.n, e.NewView.Body)
		nv.Stable = e.NewView.Stable
		if d.lie != nil {
			nv = d.lie(e)
			d.broadcast(nv, func(to *node) { to.newView(d.self, nv) })
			return
		}
		d.later(func() []Effect { return d.m.OnNewView(d.c.now, d.self, nv) })
	}
}

// proceed gets work done: a leader at work and a quorum of its view that hear each
// other execute everything; others learn it from any of them.
func (c *cluster) proceed() {
	c.after(10*ms, c.proceed)
	linked := func(a, b messages.Index) bool {
		return a == b || c.cut == nil || !c.cut(a, b) && !c.cut(b, a)
	}
	for _, l := range c.nodes {
		if l.down || l.idle || !l.standing.Active || NewSchedule(c.n).Leader(l.standing.View) != l.self {
			continue
		}
		var team []*node
		for _, d := range c.nodes {
			if !d.down && d.standing.Active && d.standing.View == l.standing.View && linked(l.self, d.self) {
				team = append(team, d)
			}
		}
		for _, d := range team {
			hears := 0
			for _, other := range team {
				if linked(d.self, other.self) {
					hears++
				}
			}
			if hears >= messages.Quorum(c.n) {
				d.execute(len(c.work), true)
			}
		}
	}
	for _, d := range c.nodes {
		for _, other := range c.nodes {
			if !d.down && !other.down && linked(d.self, other.self) {
				d.execute(other.executed, false)
			}
		}
	}
}

func (d *node) execute(upTo int, proposed bool) {
	if upTo > d.executed {
		d.executed = upTo
		d.m.OnExecuted(Progress{Proposed: proposed, Fresh: true}, 0)
	}
}

// submit hands in a vertex now.
func (c *cluster) submit() { c.work = append(c.work, c.now) }

// load hands in a vertex every so often, for ever.
func (c *cluster) load(every time.Duration) {
	c.submit()
	c.after(every, func() { c.load(every) })
}

// correct are the members that are up and no liars.
func (c *cluster) correct() []*node {
	return slices.DeleteFunc(slices.Clone(c.nodes), func(d *node) bool { return d.down || d.status != nil || d.lie != nil })
}

// done: every correct member executed everything.
func (c *cluster) done() bool {
	return !slices.ContainsFunc(c.correct(), func(d *node) bool { return d.executed < len(c.work) })
}

// in: every correct member is active in one view.
func (c *cluster) in(view messages.View) bool {
	return !slices.ContainsFunc(c.correct(), func(d *node) bool { return d.standing.View != view || !d.standing.Active })
}

func (c *cluster) crash(members ...messages.Index) {
	for _, i := range members {
		c.nodes[i].down = true
	}
}

// restart brings a member back with what its journal held.
func (c *cluster) restart(i messages.Index) {
	d := c.nodes[i]
	d.down, d.told = false, Suspects{}
	d.m = NewManager(managerConfig(i, c.n), c.now)
	var nv *NewView
	if n := len(d.entered); n > 0 {
		nv = &d.entered[n-1]
	}
	d.m.Resume(c.now, d.standing, d.recorded, nv, nil, nil)
}
