// Package replica is the door for programs that embed a replica: start one,
// propose vertices, wait until they are final, follow what was finalised, and
// add actors and an application of your own.
//
//	r, err := replica.Start(ctx, cfg, replica.WithLogger(log))
//	receipt, err := r.Propose(ctx, replica.Vertex{Payload: []byte("hello")})
//
// A receipt means final: a quorum of members signed a commit for the batch the
// vertex is in, or in optimistic mode all that they accepted it, and it will be at
// that place on every correct replica. The context bounds only the waiting; the
// vertex stays proposed when it ends.
//
// Final is not yet executed with effect. A vertex whose nonce is spent, or that has
// expired, is finalised as a no-op, and one the application refuses as a failure:
// these have a place in the ledger, a receipt and a proof like any other. Propose
// tells them by a NoOpError and a FailedError. Who uses ProposeAll or Submit looks at
// each receipt: there was success if its Seq is not 0, its Outcome is pbft.Fresh and
// its Result has not Failed. A zero Receipt is none.
//
// # Proposing again
//
// A vertex executes once at most, however often and wherever it is proposed, if it
// comes with the same Creator, Nonce and Expires each time. Left zero, the first two
// are drawn anew at each proposal: the same payload is another vertex then, and
// executes again. Expires left zero is counted from where the chain is: a retry is
// another vertex with a spent nonce, which gets a NoOpError in place of the receipt of
// the first, and one so late that replicas have forgotten its creator would execute.
// Nonces tells where a creator stands
// and where the chain is; Vertex.Hash says what to look for with Find.
//
//	error              taken?        the same vertex again
//	ErrPoolFull        no            here, when some are final, or at another replica
//	NotProposedError   no            with a context that has not ended
//	HaltedError        no            at another replica
//	ErrStopped         no            at another replica
//	SignatureError     no            never: mend it
//	TooLargeError      no            never: mend it
//	ErrEmptyPayload    no            never: mend it
//	ErrNonceAlone      no            never: mend it
//	NotFinalError      stays so      safe with the three fixed, else it may execute twice;
//	                                 its Untaken last ones were not taken
//	 for ErrStopped,   stays so      likewise, at another replica: this one ended while you
//	 or HaltedError                  waited, and the others may finalise what it had taken
//	 for ErrSkipped    finalised     of no use here: most likely it was executed, and
//	                                 another replica has the receipt
//	NoOpError          finalised     of no use: the nonce is spent, or it has expired
//	FailedError        executed      of no use: it was executed, without effect
//
// A NotFinalError lists the hashes of what was taken and has no receipt. Find tells
// later what became of it, at any replica.
//
// ProposeAll takes nothing of a list when one of its vertices is refused; Submit takes
// the others, and tells by place, in Refused.
//
// # Errors
//
// What is named Err… is compared with errors.Is. What is named …Error is a type, and
// always comes as a pointer:
//
//	var not *replica.NotFinalError
//	if errors.As(err, &not) { askLater(not.Vertices) }
//
// So do those of the packages beside and below: testnet.NotEmptyError,
// httpapi.RefusedError, storage.CorruptionError. Those of proposing are in the table
// above; the others are
//
//	of Start            NotMemberError             use the key that the genesis lists
//	                    storage.ErrLocked          stop the process that has the folder
//	                    storage.IdentityError      use the folder of this key and chain
//	                    storage.VersionError       run the newer release that wrote it
//	                    storage.CorruptionError    keep the folder to look into; come back as
//	                                               one that lost its disk
//	                    storage.ErrDiskFull        make room; from Err, when it has ended, too
//	of reading          ErrNotExecuted             ask again later, or another replica
//	                    ErrUnknownVertex           likewise; it may never be final
//	                    TrimmedError, ErrTrimmed   ask a replica that keeps more
//	                    ErrNoSequence              none: sequences begin at 1
//	                    ErrNoMember                none: there is no such member
//	                    ErrStopped                 start it, or ask another replica
//	of Nonces           HaltedError                ask another replica
//	of Vertex.Hash      ErrNoHash                  set what the replica would choose
//	of Creator          ErrNoExpiry                set Expires, with the help of Nonces
//	within a            messages.ErrUnsigned       have the vertex signed
//	SignatureError      messages.ErrUncalledFor    propose it unsigned
package replica
