package main

// applications are mutants of the state machines that ship, of the index of
// vertices and of proofs of finality. The simulator runs the vertex ledger with
// vertices that have no parents, and nobody in it asks for a proof.
var applications = []mutant{
	{
		Name: "failed-writes-kept", Why: "what a failed operation wrote becomes part of the next one",
		File: "replica/kvstore/machine.go", Old: "\tm.tx.reset()\n\tanswer", New: "\tanswer", TestsOnly: notSimulated,
	},
	{
		Name: "panics-have-effects", Why: "an operation that panics leaves what it wrote",
		File: "replica/kvstore/machine.go", Old: "result = replica.Result{Failed: true, Data: panicked}",
		New: "result = replica.Result{Failed: true, Data: panicked}\n\t\t\t_ = m.tx.commit(m.bytesMax)", TestsOnly: notSimulated,
	},
	{
		Name: "results-not-compared", Why: "replicas may answer differently, and none stops",
		File: "replica/kvstore/store.go", Old: "\th.Write(results[:])\n", New: "", TestsOnly: notSimulated,
	},
	{
		Name: "deletions-not-taken", Why: "a key that was deleted is back after a restart",
		File: "replica/kvstore/store.go", Old: "\tcase had:\n\t\tdelete(b.values, key)", New: "\tcase had:\n\t\tdelete(b.values, key)\n\t\treturn", TestsOnly: notSimulated,
	},
	{
		Name: "failures-are-parents", Why: "a vertex builds on one that was never appended",
		File: "actors/vertexledger.go", Old: "Result{Failed: true, Data: reason}\n\t\t\tcontinue", New: "Result{Failed: true, Data: reason}", TestsOnly: notSimulated,
	},
	{
		Name: "vertex-panics-escape", Why: "a vertex that nobody can read stops every replica",
		File: "actors/vertexledger.go", Old: "if recover() != nil {", New: "if false {", TestsOnly: notSimulated,
	},
	{
		Name: "generation-not-forgotten", Why: "what a replica knows depends on when it was restored",
		File: "actors/vertexledger.go", Old: "\t\ttable.reset()\n", New: "", TestsOnly: notSimulated,
	},
	{
		Name: "no-second-try", Why: "a panic of a moment ends execution for good",
		File: "actors/secondtry.go", Old: "\tif err == nil {\n\t\treturn outcomes, ops, nil", New: "\tif err == nil || d != nil {\n\t\treturn outcomes, ops, err",
		Tests: []string{"./testkit"}, TestsOnly: noPanics,
	},
	{
		Name: "second-try-on-half-a-batch", Why: "what the first try did is done twice",
		File: "actors/secondtry.go", Old: "if failed := x.goBack(t); failed != nil {", New: "if failed := error(nil); failed != nil {",
		Tests: []string{"./testkit"}, TestsOnly: noPanics,
	},
	{
		Name: "beginning-not-restored", Why: "before the first checkpoint, the second try begins with what the first one left",
		File: "actors/secondtry.go", Old: "if stable.Seq == 0 {", New: "if stable.Seq != 0 {",
		Tests: []string{"./testkit"}, TestsOnly: noPanics,
	},
	{
		Name: "beginning-not-written", Why: "what an application came with is on no disk",
		File: "actors/appimage.go", Old: "\tif first {\n\t\tchanged", New: "\tif first && len(changed) == 0 {\n\t\tchanged",
		Tests: []string{"./testkit"}, TestsOnly: "no simulated application comes with a state",
	},
	{
		Name: "index-forgets-restarts", Why: "what is executed again at a start is found no more",
		File: "actors/recovery.go", Old: "t.ledger.vertices.add(d.commit.Seq, d.batch, outcomes, ops)", New: "_, _ = outcomes, ops",
		Tests: []string{"./replica"}, TestsOnly: notSimulated,
	},
	{
		Name: "batch-of-proof-unchecked", Why: "a proof for one vertex proves any",
		File: "messages/finality.go", Old: "if batch != p.Batch {", New: "if batch.IsZero() {",
		Tests: []string{"./crypto"}, TestsOnly: notSimulated,
	},
	{
		Name: "proof-of-less-than-a-quorum", Why: "f+1 signatures make nothing final",
		File: "crypto/certificate.go", Old: "seq, digest, bundles, k.Quorum())", New: "seq, digest, bundles, k.Weak())", TestsOnly: notSimulated,
	},
	{
		Name: "room-promised-twice", Why: "nonces are drawn in vain, until one lies beyond the window",
		File: "actors/room.go", Old: "-p.origins[p.self]-p.reserved), 0)", New: "-p.origins[p.self]), 0)",
		TestsOnly: notSimulated,
	},
	{
		Name: "room-for-the-last", Why: "who asked last is served first",
		File:      "actors/room.go",
		Old:       "for front := p.seekers.Front(); front != nil; front = p.seekers.Front() {\n\t\ts :=",
		New:       "for front := p.seekers.Back(); front != nil; front = p.seekers.Back() {\n\t\ts :=",
		TestsOnly: notSimulated,
	},
	{
		Name: "second-half-not-found", Why: "every other vertex of a large batch is not in the ledger, says the index",
		File: "actors/found.go", Old: "at += indexPositions {", New: "at += messages.BatchVerticesMax {",
		TestsOnly: "its batches are small",
	},
}

const noPanics = "no simulated application panics"

const notSimulated = "no simulated client does what shows it"
