package main

var clusterTests = []string{"./testkit"}

// conduct are mutants of what is proof, whom it is held against, and what a ban
// does.
var conduct = []mutant{
	{
		Name: "fresh-signature-convicts", Why: "one vote signed twice is taken for two",
		File: "detector/evidence.go", Old: "if order == 0 || placeOf", New: "if order == 0 && &a.Bundle().Signature[0] == &b.Bundle().Signature[0] || placeOf",
	},
	{
		Name: "evidence-unchecked", Why: "anybody convicts anybody",
		File: "detector/evidence.go", Old: "if _, err := k.Open(b); err != nil {", New: "if _, err := k.Restore(b); err != nil {",
	},
	{
		Name: "float-scores", Why: "1 − 7 × 0.1 is below 0.3",
		File: "detector/reputation.go", Old: "case s.merit < scoreBan:\n\t\t\tsuspects", New: "case 1-0.1*float64((scoreMax-s.merit)/scorePenalty) < 0.3:\n\t\t\tsuspects",
	},
	{
		Name: "more-than-f-bans", Why: "liars get honest members banned",
		File: "detector/reputation.go", Old: "\tsuspects = suspects[:min(len(suspects), max(room, 0))]\n", New: "\t_ = room\n",
	},
	{
		Name: "ban-suspects", Why: "f liars and one that errs turn views",
		File: "actors/detector.go", Old: "convicted[i] = core.IsConvicted(", New: "convicted[i] = core.IsBanned(",
		Tests: clusterTests,
	},
	{
		Name: "ban-takes-votes", Why: "a ban of an honest member costs the quorum",
		File: "actors/ingress.go", Old: "ok && kind == messages.FrameForward && ", New: "ok && kind != messages.FrameStatus && ",
		Tests: clusterTests,
	},
	{
		Name: "banned-forward", Why: "a banned member keeps the privilege",
		File: "actors/ingress.go", Old: "kind == messages.FrameForward && i.t.detector.IsBanned(in.From)", New: "kind == messages.FrameForward && i.t.n == 0",
		Tests: clusterTests, TestsOnly: "it harms nobody by itself",
	},
	{
		Name: "banned-serve", Why: "a banned member is asked like any other",
		File: "actors/sync.go", Old: "return banned&(1<<m) == 0", New: "return banned == 0 || true",
		TestsOnly: "it harms nobody by itself",
	},
	{
		Name: "evidence-kept-to-oneself", Why: "one replica knows, a quorum does not suspect",
		File: "actors/evidence.go", Old: "\tc.Send(a.t.links.egress, &broadcast{cluster.LaneViewChange, m})\n", New: "\t_ = cluster.LaneViewChange\n",
		Tests: clusterTests, TestsOnly: "others see the lie sooner or later, too",
	},
	{
		Name: "evidence-for-those-present", Why: "who was away never knows",
		File: "actors/ingress.go", Old: "\tc.Send(i.t.links.detector, &greet{peer})\n", New: "",
		Tests: clusterTests, TestsOnly: "others see the lie sooner or later, too",
	},
	{
		Name: "unneeded-forgotten", Why: "whoever lies late is never found out",
		File: "actors/detector.go", Old: "\t\ta.openKept(c, m.votes)\n", New: "",
		Tests: clusterTests, TestsOnly: "others see the lie sooner or later, too",
	},
	{
		Name: "unneeded-unlike-before", Why: "whoever lies early and late is never found out",
		File: "actors/signers.go", Old: "if s.t.detector.differs(b) {", New: "if s.t.detector.differs(b) && from != b.From {",
		Tests: clusterTests, TestsOnly: "others see the lie sooner or later, too",
	},
	{
		Name: "conviction-forgotten", Why: "a restart acquits",
		File: "actors/evidence.go", Old: "\tif err := batch.Commit(true); err != nil {\n\t\ta.t.fail(fmt.Errorf(\"write evidence", New: "\tbatch = a.t.cfg.State.NewBatch()\n\tif err := batch.Commit(true); err != nil {\n\t\ta.t.fail(fmt.Errorf(\"write evidence",
		Tests: clusterTests, TestsOnly: "nobody is asked who stood convicted before",
	},
	{
		Name: "pardon-forgotten", Why: "a restart takes a pardon back",
		File: "actors/evidence.go", Old: "putEvidence(batch, r.Message(), r.Forgiven)", New: "putEvidence(batch, r.Message(), false)",
		Tests: clusterTests, TestsOnly: "there is no operator",
	},
	{
		Name: "credit-without-end", Why: "a flood keeps the processor busy",
		File: "actors/budget.go", Old: "return b.credit <= 0 || len(b.waiting) > 0", New: "return false",
		TestsOnly: "processors are for nothing",
	},
	{
		Name: "known-votes-are-news", Why: "the same again and again is verified without end",
		File: "actors/budget.go", Old: "if _, ok := (*k)[p]; ok || v.Seq == 0", New: "if v.Seq == 0",
		TestsOnly: "processors are for nothing",
	},
	{
		Name: "resending-floods", Why: "an honest member is charged for what it was asked to send again",
		File: "actors/budget.go", Old: "wasteMax   = 1000", New: "wasteMax   = 700",
	},
	{
		Name: "signature-not-remembered-by", Why: "a verified bundle vouches for a forged one",
		File: "crypto/memory.go", Old: "\th.Write(signature)\n", New: "\t_ = signature\n",
	},
	{
		Name: "lie-at-the-edge", Why: "a bundle nobody needed, that another contradicts at its last place, is no evidence",
		File: "actors/unopened.go", Old: "if kept.high < low ||", New: "if kept.high <= low ||",
		TestsOnly: "few bundles are left unopened there",
	},
}
