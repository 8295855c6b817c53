// Package detector tells proof of misbehaviour from suspicion of it, keeps
// each member's reputation, and decides whom the replica bans. [protocol §7]
//
// Three classes of violation are never confused. A provable one rests on two
// bundles the member itself signed; anyone can check the Evidence with the
// members' public keys, and it convicts. An attributable one is what a peer
// sent over its authenticated channel, whatever name was inside; it costs a
// tenth of the reputation, and the eighth one bans. A suspicion may be the
// network's fault; it decays and can never ban.
//
// A ban takes privileges, never votes: quorums do not change by one replica's
// opinion. A conviction ends by an operator's hand alone.
//
// Everything here is pure: plain values in, plain values out. There is no
// clock, goroutine, disk, logger or actor, and no output depends on the order
// of a map.
package detector
