package main

// optimism are mutants of optimistic mode.
var optimism = []mutant{
	{
		Name: "all-but-one", Why: "two digests can each have all but one",
		File: "pbft/slot.go", Old: "\t\tif v := says(m); !v.Valid() ||", New: "\t\tif m == s.n-1 {\n\t\t\tpreparesOf := s.rounds[i].prepares\n\t\t\tpreparesOf[m] = preparesOf[(int(s.accepted.leader)+1)%s.n]\n\t\t}\n\t\tif v := says(m); !v.Valid() ||",
		Optimistic: true,
	},
	{
		Name: "unanimous-without-the-leader", Why: "what is decided so cannot be proved to others",
		File: "pbft/slot.go", Old: "\t\t\treturn s.rounds[i].preprepare\n", New: "\t\t\treturn s.rounds[i].prepares[(m+1)%s.n]\n",
		Optimistic: true,
	},
	{
		Name: "unanimous-in-any-mode", Why: "no view change keeps it there",
		File: "pbft/slot.go", Old: "if s.certified == nil && s.optimism != Plain {", New: "if s.certified == nil {",
	},
	{
		Name: "what-all-accepted-is-forgotten", Why: "the next view decides something else",
		File: "leader/choose.go", Old: "if !r.Optimistic {", New: "if !r.Optimistic || seq > 0 {",
		Optimistic: true,
	},
	{
		Name: "one-denier-less", Why: "a liar's denial forgets what all accepted",
		File: "leader/optimistic.go", Old: "return deny <= messages.MaxFaulty(r.Members)", New: "return deny < messages.MaxFaulty(r.Members)",
		Optimistic: true,
	},
	{
		Name: "one-denier-more", Why: "what cannot have been decided wins over what was",
		File: "leader/optimistic.go", Old: "return deny <= messages.MaxFaulty(r.Members)", New: "return deny <= messages.MaxFaulty(r.Members)+1",
		Optimistic: true,
	},
	{
		Name: "accepted-wins-uncontradicted-or-not", Why: "what was accepted wins over what a quorum committed",
		File: "leader/choose.go", Old: "case !r.uncontradicted(s, c.Claim):", New: "case c.prepared && !r.uncontradicted(s, c.Claim):",
		Optimistic: true,
	},
	{
		Name: "accepted-before-prepared", Why: "of one view what was accepted wins over what was prepared",
		File: "leader/choose.go", Old: "\t\t\tif a.prepared {\n\t\t\t\treturn -1\n\t\t\t}\n\t\t\treturn 1\n", New: "\t\t\tif a.prepared {\n\t\t\t\treturn 1\n\t\t\t}\n\t\t\treturn -1\n",
		Optimistic: true,
	},
	{
		Name: "plan-ends-at-prepared", Why: "what was only accepted is behind the list",
		File: "leader/plan.go", Old: "n > 0 && r.Optimistic {", New: "n > 0 && r.Optimistic && len(b.Prepared) > 0 {",
		Optimistic: true,
	},
	{
		Name: "nobody-helps", Why: "one that is kept from what decided elsewhere waits for it with every sequence",
		File: "pbft/optimism.go", Old: "\t\t\ts.gatherer.Add(grant)\n", New: "",
		TestsOnly: "others give it what was decided, later",
	},
	{
		Name: "commits-of-others-ignored", Why: "one that waits in vain is not helped by those that wait",
		File: "pbft/slot.go", Old: "\t\ts.hearCommit(v)\n", New: "",
		TestsOnly: "they stop waiting themselves, later",
	},
	{
		Name: "late-members-waited-for", Why: "a member just quick enough holds everybody up for ever",
		File: "pbft/optimism.go", Old: "p.late += lateWeight; p.late >= lateMax {", New: "p.late += lateWeight; p.late >= 1<<40 {",
		TestsOnly: "everything becomes final, later",
	},
	{
		Name: "a-lie-is-an-acceptance", Why: "one that votes for something else stops all, or is waited for again and again",
		File: "pbft/votelog.go", Old: "w.View == of.View && w.Digest == of.Digest {", New: "w.View == of.View {",
		TestsOnly: "who equivocates is convicted",
	},
	{
		Name: "slow-execution-is-a-wait", Why: "an application that takes its time ends the fast path",
		File: "pbft/optimism.go", Old: "if !accepted || s.agreed[seq] {", New: "if !accepted {",
		TestsOnly: "everything becomes final, later",
	},
	{
		Name: "nobody-hurries", Why: "a member that is down stops the others",
		File: "pbft/optimism.go", Old: "\tif !vain {\n", New: "\tif !vain || len(waiting) > 0 {\n",
		Optimistic: true,
	},
	{
		Name: "always-patient", Why: "a member that is down is waited for again and again",
		File: "pbft/optimism.go", Old: "\tcase s.patience.eager > 0:\n\t\treturn Eager\n", New: "",
		TestsOnly: "everything becomes final, later",
	},
	{
		Name: "never-patient-again", Why: "one wait ends the fast path for ever",
		File: "pbft/optimism.go", Old: "\t\tp.eager--\n", New: "",
		TestsOnly: "everything becomes final, later",
	},
	{
		Name: "penalties-do-not-grow", Why: "one that comes too late on purpose is waited for with every checkpoint",
		File: "pbft/optimism.go", Old: "min(max(2*p.penalty, 1), penaltyMax)", New: "1",
		TestsOnly: "everything becomes final, later",
	},
	{
		Name: "listed-and-waited-for", Why: "the leader pre-prepares nothing of what its view begins with",
		File: "pbft/optimism.go", Old: "case !s.cfg.Params.OptimisticMode || seq <= s.voter.settled:", New: "case !s.cfg.Params.OptimisticMode:",
		TestsOnly: "it is decided all the same, after a wait",
	},
	{
		Name: "commits-in-an-acceptance", Why: "a member that committed need not have been one of all",
		File: "crypto/certificate.go", Old: "(v.Kind == messages.PrePrepare || v.Kind == messages.Prepare)", New: "v.Kind <= messages.Commit",
		TestsOnly: "whoever is correct sends no such certificate, and no liar here makes one",
	},
	{
		Name: "acceptances-decide-in-any-mode", Why: "no view change keeps it there",
		File: "crypto/certificate.go", Old: "if !k.optimistic || len(bundles) < k.N()", New: "if len(bundles) < k.N()",
		TestsOnly: "whoever is correct sends no such certificate, and no liar here makes one",
	},
	{
		Name: "acceptances-not-counted-at-a-start", Why: "what it executed is not there after a restart",
		File: "actors/recovery.go", Old: "return v, v.Kind == messages.Commit || accepts && p.params.OptimisticMode", New: "return v, v.Kind == messages.Commit",
		Tests: clusterTests, TestsOnly: "others send what is missing",
	},
	{
		Name: "stored-acceptances-of-a-quorum", Why: "it starts with what nobody decided",
		File: "actors/recovery.go", Old: "\t\t\tneed = p.n\n", New: "\t\t\tneed = p.quorum\n",
		Optimistic: true,
	},
}
