package main

// trust are mutants of what is believed without a proof, and held against whom.
var trust = []mutant{
	{
		Name: "signatures-unchecked", Why: "anybody speaks for anybody",
		File: "crypto/bundle.go", Old: "if err := k.checkSignature(b); err != nil {\n\t\treturn nil, err\n\t}\n", New: "",
	},
	{
		Name: "certificate-repeats-signers", Why: "one member is a quorum",
		File: "crypto/certificate.go", Old: "if seen&(1<<b.From) != 0 {", New: "if seen&(1<<b.From) != 0 && seen == 0 {",
	},
	{
		Name: "certificate-signatures-unchecked", Why: "a certificate is believed for being one",
		File: "crypto/certificate.go", Old: "for _, b := range bundles { // signatures last", New: "for _, b := range bundles[:1] { // signatures last",
	},
	{
		Name: "certificate-of-any-vote", Why: "votes for something else prove this",
		File: "crypto/certificate.go", Old: "return slices.Contains(b.Votes, vote) }", New: "return slices.ContainsFunc(b.Votes, func(v messages.Vote) bool { return v.Seq == vote.Seq }) }",
	},
	{
		Name: "certificate-too-short", Why: "fewer than a quorum prove this",
		File: "crypto/certificate.go", Old: "if len(bundles) < need || ", New: "if len(bundles) < need-1 || ",
	},
	{
		Name: "served-batch-unchecked", Why: "a server chooses what a sequence was",
		File: "actors/ledger.go", Old: "if batch.Digest() != d.Digest {", New: "if batch == nil {",
	},
	{
		Name: "foreign-epochs", Why: "votes of another membership count",
		File: "crypto/bundle.go", Old: "case b.Epoch != k.epoch:", New: "case b.Epoch != k.epoch && k.chain.IsZero():",
		TestsOnly: "there is one epoch",
	},
	{
		Name: "no-domain-separation", Why: "votes of another chain count",
		File: "messages/bundle.go", Old: "\tout = append(out, chain[:]...)\n", New: "\tout = append(out, make([]byte, len(chain))...)\n",
		TestsOnly: "there is one chain", Tests: []string{"./crypto"},
	},
	{
		Name: "lateness-bans", Why: "an honest member behind a slow link is punished",
		File: "detector/violation.go", Old: "case TypeTimeout, TypeNonParticipation:", New: "case TypeNonParticipation:",
	},
	{
		Name: "channel-not-blamed", Why: "whose name is inside is charged with what another sent",
		File: "actors/signers.go", Old: "c.Send(s.t.links.detector, &misbehaved{from, what})", New: "var bad *crypto.BundleError\n\tif errors.As(err, &bad) && int(bad.From) < s.t.n {\n\t\tfrom = bad.From\n\t}\n\tc.Send(s.t.links.detector, &misbehaved{from, what})",
	},
	{
		Name: "creators-unchecked-before-prepare", Why: "a leader writes in anybody's name",
		File: "actors/verify.go", Old: "s.t.creators.CheckBatch(batch); err != nil", New: "s.t.creators.CheckBatch(batch); err != nil && batch == nil",
		Tests: []string{"./testkit"},
	},
	{
		Name: "creator-not-named-by-key", Why: "any key signs for anybody",
		File: "crypto/creators.go", Old: "if vertex(g.First+i).Creator() != id {", New: "if len(g.Leaves) == 0 {",
	},
	{
		Name: "creator-signatures-unchecked", Why: "a key is public, and anybody's to name",
		File: "crypto/creators.go", Old: "if !c.holds(key, signed, g.Signature) {", New: "if !c.holds(key, signed, g.Signature) && len(signed) == 0 {",
	},
	{
		Name: "creators-remembered-without-key", Why: "who signs a victim's vertex beside an own one has it believed under the victim's key",
		File: "crypto/memory.go", Old: "\th.Write(key)\n", New: "",
		Tests: []string{"./crypto"}, TestsOnly: "no liar of the simulator signs others' vertices among its own",
	},
	{
		Name: "creators-sign-for-any-chain", Why: "a vertex signed for one chain executes on another",
		File: "messages/group.go", Old: "\tb = append(b, chain[:]...)\n", New: "\tb = append(b, make([]byte, len(chain))...)\n",
		TestsOnly: "there is one chain",
	},
	{
		Name: "unsigned-batches-on-a-signed-chain", Why: "a leader leaves the signatures out",
		File: "messages/batch.go", Old: "case p.RequireVertexSignatures && !signed:", New: "case p.RequireVertexSignatures && !signed && len(hashes) == 0:",
	},
}
