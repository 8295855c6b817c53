package main

// viewChanges are mutants of leaving and entering views.
var viewChanges = []mutant{
	{
		Name: "votes-after-view-change", Why: "what a view-change claims is outdated when it arrives",
		File: "pbft/voter.go", Old: "case !v.active:\n\t\treturn ChangingViews", New: "",
		Tests: []string{"./leader"}, TestsOnly: "votes for the view that was left are refused as such, and no tracker asks for the next one's yet",
	},
	{
		Name: "votes-in-the-view-it-left", Why: "a batch is committed of which no view-change knows",
		File: "pbft/voter.go", Old: "case vote.View != v.view:\n\t\treturn WrongView\n\tcase !v.active:", New: "case vote.View != v.view && vote.View+1 != v.view:\n\t\treturn WrongView\n\tcase !v.active && vote.View == v.view:",
		Tests: []string{"./pbft"}, TestsOnly: "the trackers of a view that was left ask for no vote any more",
	},
	{
		Name: "prepared-not-claimed", Why: "what was committed is forgotten by the next view",
		File: "pbft/voterview.go", Old: "if p := m.prepared; !p.digest.IsZero() {", New: "if p := m.prepared; !p.digest.IsZero() && v.halted {",
	},
	{
		Name: "accepted-not-claimed", Why: "no claim finds the support it needs",
		File: "pbft/voterview.go", Old: "body.Accepted = append(body.Accepted, messages.Claim{Seq: seq, View: q.view, Digest: q.digest})",
		New: "if q.digest == m.prepared.digest {\n\t\t\t\tbody.Accepted = append(body.Accepted, messages.Claim{Seq: seq, View: q.view, Digest: q.digest})\n\t\t\t}",
	},
	{
		Name: "lowest-view-wins", Why: "an older digest replaces the one that was committed",
		File: "leader/choose.go", Old: "cmp.Compare(b.View, a.View)", New: "cmp.Compare(a.View, b.View)",
	},
	{
		Name: "a1-less-one", Why: "a claim wins that a quorum need not support",
		File: "leader/choose.go", Old: "return agree >= r.Quorum", New: "return agree >= r.Quorum-1",
	},
	{
		Name: "a2-less-one", Why: "a liar alone vouches for a batch that never was",
		File: "leader/choose.go", Old: "return vouch >= messages.Weak(r.Members)", New: "return vouch >= messages.Weak(r.Members)-1",
	},
	{
		Name: "b-less-one", Why: "a null batch replaces what may be committed",
		File: "leader/choose.go", Old: "return silent >= r.Quorum", New: "return silent >= r.Quorum-1",
	},
	{
		Name: "null-batches-skipped", Why: "what follows a gap moves down by one",
		File: "leader/plan.go", Old: "p.list = append(p.list, c.claim.Digest)", New: "if c.claimed {\n\t\t\tp.list = append(p.list, c.claim.Digest)\n\t\t}",
	},
	{
		Name: "new-view-trusted", Why: "a leader begins its view with what it likes",
		File: "leader/plan.go", Old: "return p.compare(b)\n", New: "_ = p\n\treturn nil\n",
	},
	{
		Name: "too-few-view-changes", Why: "a new view by less than a quorum",
		File: "leader/plan.go", Old: "if len(b.ViewChanges) < r.Quorum {", New: "if len(b.ViewChanges) < r.Quorum-1 {",
	},
	{
		Name: "hidden-claims-admitted", Why: "a view-change from above min-s hides what it claims below",
		File: "leader/plan.go", Old: "if vc.Low > b.MinS {", New: "if vc.Low > b.MinS+1000 {",
	},
	{
		Name: "no-join", Why: "replicas are split over views for ever",
		File: "leader/collect.go", Old: "if len(views) < weak {", New: "if len(views) < weak+1000 {",
	},
	{
		Name: "view-changes-of-any-view", Why: "a leader builds on what others claim for a later view, and is blamed for it",
		File: "leader/collect.go", Old: "\tif vc.Body.View == c.target {", New: "\tif vc.Body.View >= c.target {",
	},
	{
		Name: "join-the-highest", Why: "one liar moves everybody to any view",
		File: "leader/collect.go", Old: "return views[len(views)-weak], true", New: "return views[len(views)-1], true",
	},
	{
		Name: "join-one", Why: "one liar moves everybody",
		File: "leader/collect.go", Old: "if len(views) < weak {", New: "if len(views) < 1 {\n\t\treturn 0, false\n\t}\n\tif weak = min(weak, len(views)); len(views) < weak {",
	},
	{
		Name: "min-s-not-adopted", Why: "two digests at a sequence that is stable elsewhere",
		File: "pbft/voterview.go", Old: "\tv.Stable(nv.Body.MinS)\n", New: "",
	},
	{
		Name: "list-not-accepted", Why: "what a view begins with can be voted against",
		File: "pbft/voterview.go", Old: "\tv.acceptListed(nv.Body)\n\tv.forgetSent()", New: "\tv.forgetSent()",
	},
	{
		Name: "settled-ignored", Why: "a fresh pre-prepare replaces what the new-view lists",
		File: "pbft/voterview.go", Old: "\tv.settled = nv.Body.Last()\n", New: "",
	},
	{
		Name: "idle-leaders-suspected", Why: "views change for ever while nobody proposes anything",
		File: "actors/viewchange.go", Old: "\t\to.OldestVertex = v.t.pool.Oldest()\n", New: "\t\to.OldestVertex = v.t.pool.Oldest() + 1e12\n",
	},
	{
		Name: "no-backoff", Why: "a network slower than the timeout never has a leader",
		File: "leader/timeout.go", Old: "\t\tt.failed++\n", New: "\t\tt.failed = 0\n",
		TestsOnly: "few of the networks drawn are slower than the timeout",
	},
	{
		Name: "backoff-reset-by-any-batch", Why: "a leader of empty batches is waited for as if it worked",
		File: "leader/timeout.go", Old: "if !p.Proposed || !p.Fresh || p.OldestVertex > t.base {", New: "if p.OldestVertex > t.base {",
		TestsOnly: "it takes a leader of empty batches on a network slower than the timeout",
	},
	{
		Name: "backoff-reset-by-new-view", Why: "views follow each other on a network slower than the timeout",
		File: "leader/manager.go", Old: "\tm.replan = true\n\tm.load.OldestVertex = 0",
		New:       "\tif m.standing.Active {\n\t\tm.timeout.failed = 0\n\t}\n\tm.replan = true\n\tm.load.OldestVertex = 0",
		TestsOnly: "few of the networks drawn are slower than the timeout",
	},
	{
		Name: "suspicions-counted-apart", Why: "f that ask for the next view and f+1 that suspect never meet",
		File: "leader/tracker.go", Old: "return c.Hard + c.Own + c.Amplified", New: "return max(c.Hard, c.Own+c.Amplified)",
	},
	{
		Name: "changing-untold", Why: "whoever lost a NewView is taken for active and sent none",
		File: "pbft/status.go", Old: "Active: s.voter.active,", New: "Active: true,",
	},
	{
		Name: "timer-counts-one-view", Why: "members spread over views wait for each other without end",
		File: "leader/collect.go", Old: "if c.members[i].target != nil || c.members[i].highest != nil {", New: "if c.members[i].target != nil {",
	},
	{
		Name: "a2-dropped", Why: "a liar's claim wins although nobody accepted it",
		File: "leader/choose.go", Old: "case c.prepared && r.accepted(s, c.Claim),", New: "case c.prepared,",
	},
	{
		Name: "silence-of-2f+1", Why: "at n=6 null needs more members than are correct",
		File: "leader/choose.go", Old: "return silent >= r.Quorum", New: "return silent >= r.Members-messages.Weak(r.Members)+2",
	},
	{
		Name: "entered-with-batches-only", Why: "a batch that nobody correct has keeps everybody out of the view",
		File: "pbft/viewentry.go", Old: "\tgrant, refusal := s.voter.EnterView(nv)\n",
		New: "\tfor _, d := range nv.Body.List {\n\t\tif !d.IsZero() && d != messages.NullDigest && s.bodies.Get(d) == nil {\n\t\t\treturn s.take()\n\t\t}\n\t}\n\tgrant, refusal := s.voter.EnterView(nv)\n",
	},
	{
		Name: "view-change-rebuilt", Why: "a restarted replica signs another ViewChange for its view",
		File: "pbft/voterrestore.go", Old: "\t\t\tv.leave(r.ViewChange)\n",
		New: "\t\t\tagain := *r.ViewChange\n\t\t\tagain.Accepted = nil\n\t\t\tv.leave(&again)\n",
	},
	{
		Name: "validity-by-state", Why: "who is behind refuses what the others vote for",
		File: "actors/verify.go", Old: "if err := s.t.creators.CheckBatch(batch); err != nil {",
		New:   "if err := s.t.creators.CheckBatch(batch); err != nil || s.t.Progress().Seq%2 == 1 {",
		Tests: clusterTests,
	},
}
