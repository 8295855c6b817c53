package main

// ordering are mutants of the three phases and of execution.
var ordering = []mutant{
	{
		Name: "quorum-less-one", Why: "two quorums share a faulty member only",
		File: "messages/quorum.go", Old: "return (n + MaxFaulty(n) + 2) / 2", New: "return (n+MaxFaulty(n)+2)/2 - 1",
	},
	{
		Name: "quorum-2f+1", Why: "at n=5 and 6 two such quorums need not meet",
		File: "messages/quorum.go", Old: "return (n + MaxFaulty(n) + 2) / 2", New: "return 2*MaxFaulty(n) + 1", Replicas: 5,
	},
	{
		Name: "prepare-quorum-less-one", Why: "two digests can be prepared in one view",
		File: "pbft/slot.go", Old: "return count >= s.quorum-1", New: "return count >= s.quorum-2",
	},
	{
		Name: "commit-quorum-less-one", Why: "a commit that no later view need know of",
		File: "pbft/slot.go", Old: "if len(bundles) == s.quorum {", New: "if len(bundles) == s.quorum-1 {",
	},
	{
		Name: "checkpoint-quorum-less-one", Why: "stable by fewer than a quorum",
		File: "pbft/checkpoint.go", Old: "if len(bundles) != c.quorum {", New: "if len(bundles) != c.quorum-1 {",
	},
	{
		Name: "prepares-of-any-digest", Why: "votes for another digest make this one prepared",
		File: "pbft/slot.go", Old: "messages.Index(m) != s.accepted.leader && v.Value().Digest == s.accepted.digest {", New: "messages.Index(m) != s.accepted.leader {",
	},
	{
		Name: "commits-of-any-digest", Why: "votes for another digest make this one committed",
		File: "pbft/slot.go", Old: "if w.Valid() && w.Value().Digest == digest && len(bundles) < s.quorum {", New: "if w.Valid() && len(bundles) < s.quorum {",
	},
	{
		Name: "leader-prepares-too", Why: "the leader is counted twice",
		File: "pbft/slot.go", Old: "if v.Valid() && messages.Index(m) != s.accepted.leader && v.Value()", New: "if v.Valid() && m >= 0 && v.Value()",
	},
	{
		Name: "second-digest-accepted", Why: "an equivocating leader gets two digests prepared",
		File: "pbft/voter.go", Old: "return nil, OtherDigestAccepted", New: "break",
		TestsOnly: "the vote log and the tracker refuse the same beside the voter",
	},
	{
		Name: "window-ignored", Why: "nothing is bounded any more",
		File: "pbft/voter.go", Old: "case vote.Seq > v.marks.High:", New: "case vote.Seq > v.marks.High+1000:",
	},
	{
		Name: "executed-forgotten", Why: "votes contradict what was executed",
		File: "pbft/voter.go", Old: "m != nil && !m.fixed.digest.IsZero() && m.fixed.digest != vote.Digest {", New: "m != nil && false {",
		TestsOnly: "what was executed was committed, and no new-view can list anything else",
	},
	{
		Name: "cohort-forgotten", Why: "callers who come back together get two half-empty batches in turn",
		File: "actors/proposer.go", Old: "if p.cohort.waits(vertices) {", New: "if false {",
		Tests: []string{"./replica"}, TestsOnly: "its clients do not wait for receipts",
	},
	{
		Name: "cohort-always", Why: "load that does not come back waits for nothing with each sequence",
		File: "actors/cohort.go", Old: "k.open && k.returning >= cohortReturns && pooled", New: "k.open && pooled",
		Tests:     []string{"./actors"},
		TestsOnly: "it asks for final, not for soon",
	},
	{
		Name: "cohort-without-end", Why: "who does not come back is waited for until the next heartbeat",
		File: "actors/cohort.go", Old: "\tk.open = false\n\tshare", New: "\tshare",
		Tests: []string{"./actors"}, TestsOnly: "it asks for final, not for soon",
	},
	{
		Name: "no-client-dedup", Why: "a vertex is executed as often as it is ordered",
		File: "pbft/clients.go", Old: "case cl.has(nonce, window):\n\t\treturn Repeated", New: "case cl.has(nonce, window):",
	},
	{
		Name: "buckets-by-arrival", Why: "the client table hashes otherwise after a restore",
		File: "pbft/clients.go", Old: "b.creators = slices.Insert(b.creators, at, cl)", New: "b.creators = slices.Insert(b.creators, at*0+len(b.creators), cl)",
		TestsOnly: "a run's creators are inserted in ascending order",
	},
	{
		Name: "pending-by-half-a-hash", Why: "a vertex made to begin like another's hash takes its place",
		File: "actors/entry.go", Old: "p.key == key && p.entry.hash == hash {", New: "p.key == key {",
		Tests: []string{"./actors"}, TestsOnly: "nobody there makes hashes that begin alike",
	},
	{
		Name: "pending-lost-in-a-gap", Why: "a vertex is not found any more once one beside it has left",
		File: "actors/entry.go", Old: ">= from(gap, i) {", New: "> from(gap, i) {",
		Tests: []string{"./actors"}, TestsOnly: "few vertices pend in it",
	},
	{
		Name: "forwarded-in-its-frame", Why: "one vertex keeps a whole frame in memory",
		File: "actors/verify.go", Old: "copied := slab[len(slab)-size : len(slab) : len(slab)]", New: "copied := data[:size:size]",
		Tests: []string{"./actors"}, TestsOnly: "frames are not used again",
	},
}
