// Package replica is the door for programs that embed a replica: start one,
// propose vertices, wait until they are final, follow what was finalised, and
// add actors and an application of your own.
//
//	r, err := replica.Start(ctx, cfg, replica.WithLogger(log))
//	receipt, err := r.Propose(ctx, replica.Vertex{Payload: []byte("hello")})
//
// A receipt means final: a quorum of members signed a commit for the batch the
// vertex is in, and it will be at that place on every correct replica. The
// context bounds only the waiting; the vertex stays proposed when it ends.
package replica
