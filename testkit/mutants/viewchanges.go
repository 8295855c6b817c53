package main

// viewChanges are mutants of leaving and entering views.
var viewChanges = []mutant{
	{
		Name: "votes-after-view-change", Why: "what a view-change claims is outdated when it arrives",
		File: "pbft/voter.go", Old: "case !v.active:\n\t\treturn ChangingViews", New: "",
		Tests: []string{"./leader"},
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
		Name: "no-backoff", Why: "a network slower than the timeout never has a leader",
		File: "leader/timeout.go", Old: "\t\tt.failed++\n", New: "\t\tt.failed = 0\n",
		TestsOnly: "the networks drawn are faster than the timeout",
	},
	{
		Name: "backoff-reset-by-any-batch", Why: "a leader of empty batches is waited for as if it worked",
		File: "leader/timeout.go", Old: "if !p.Proposed || !p.Fresh || p.OldestVertex > t.base {", New: "if p.OldestVertex > t.base {",
		TestsOnly: "no behaviour proposes empty batches",
	},
}
