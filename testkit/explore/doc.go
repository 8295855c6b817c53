// Package explore visits every state that four members can come to, one of whom
// lies, within bounds: so many sequences, views, batches and crashes. The three
// others are replicas of package pure, the product's own code. At each state
// whatever may happen next does: any message that was sent arrives, or does not
// yet; a replica leaves its view; it crashes and comes back from its record; the
// liar says anything it can sign.
//
// # What is not explored twice
//
// Each of these leaves out runs that end as others do that are explored:
//
//   - A vote of which nothing comes when it arrives arrives later, or never. So
//     Prepares and Commits are delivered together, when they are enough. Votes only
//     ever add to each other, so nothing that could have happened before is lost.
//     Who of several cast them makes no difference to anybody: it is the first
//     members.
//   - A flush and what it releases are one step. What could happen between is a
//     crash, and then the group was never made; or somebody else's step, which
//     cannot tell.
//   - Batches are at hand when something needs them: a replica without one does
//     less, and nothing else.
//   - Of all NewViews that list and mark the same, one is made. The voter never
//     looks at the ViewChanges below it; they are left out of what it is given.
//   - Replicas leave views when the search says so, whoever suspects whom.
//
// What a NewView lists is decided by leader's Manager, a new one for each decision
// that is given the ViewChanges: all sets of them, with whatever the liar may
// claim. What a Manager remembers from one message to the next is explored in
// managed worlds alone: there each replica has its own, and hears ViewChanges one by
// one, in any order, and NewViews with all they rest on. Those worlds check besides
// that a manager follows f+1 members and never fewer, enters what a correct leader
// announces, and blames no correct member.
//
// # How it is fast
//
// Few kinds of nodes make up many states. A node, which is a replica with all it
// ever signed, is told from others by its canonical bytes and has a number; what
// comes of an input to it is found out once; and a state is three numbers.
package explore
