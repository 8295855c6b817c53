// Package cluster moves frames between members: opaque bytes of at most
// messages.FrameBytesMax, at most once, in order within a lane as long as a
// connection lasts. What is lost, the protocol's status exchange heals.
//
// Remote does so by proto.actor's remote, which by itself trusts whoever
// connects: one message ends the process or any actor. What faces the network
// is therefore, from the outside in:
//
//   - the door (credentials.go, identity.go): TLS 1.3 in both directions, with a
//     key exchange that withstands quantum computers. The channel keys of the
//     genesis are pinned; the other end of a connection is a member from then on,
//     and its name comes from there alone. One connection a member. Connections
//     that have proved nothing are few, and make room for others (handshakes.go).
//   - the gate (gate.go): one greeting, then batches of frames, each checked
//     before proto.actor sees it and sent to its sender's mailbox, whatever it
//     says. Anything else ends the connection.
//   - credit (credit.go): a peer whose frames are not worked off is read no
//     further. HTTP/2 stops it, and nobody else.
//   - an actor system of its own (remote.go): no name from a peer can mean an
//     actor of the replica.
//
// On the way out, each link (link.go) keeps what waits for its peer in bounded
// lanes (lanes.go), hands proto.actor no more than the connection soon accepts,
// and connects again with a growing pause. A session (session.go) is one such
// connection, seen from the side that dials.
//
// Each member dials every other one, and sends on the connection it dialled: of
// two members' connections, each carries one direction.
//
// MemoryNetwork connects members within a process, for tests and the simulator.
package cluster
