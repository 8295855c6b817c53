package actors

import (
	"iter"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// What the actors of one replica say to each other. Messages are passed by
// pointer and never changed after they were sent. What travels between
// replicas is in package messages.

// begin is the root's word that all actors are there: work may start.
type begin struct{}

// tick is the heartbeat, sent by the root to whoever has periodic work.
type tick struct{}

// groupID names a flush group: the number its incarnation of the sequencer gave
// it. What an earlier incarnation was waiting for means nothing to a later one.
type groupID struct {
	life   int
	number uint64
}

// Sequencer ⇄ journal, signers.
type (
	// flushGroup asks the journal to make a group's records durable.
	flushGroup struct {
		id      groupID
		records []pbft.Record
	}
	// flushed says they are.
	flushed struct{ id groupID }
	// signGroup asks a signer to seal the bundles of a group.
	signGroup struct {
		id      groupID
		bundles [][]messages.Vote
	}
	// signed returns them, with the votes as any verified bundle's.
	signed struct {
		id      groupID
		bundles []*messages.Bundle
		votes   []crypto.Verified[messages.Vote]
	}
	// signAgain says that a group on its way to being signed was lost.
	signAgain struct{}
)

// A member that found its disk empty, or this replica itself.
type (
	// recallWanted asks what is remembered of a member, seen the highest view of
	// its ViewChanges.
	recallWanted struct {
		from   messages.Index
		recall *messages.Recall
		seen   messages.View
	}
	// recallArrived is a member's answer to this replica.
	recallArrived struct {
		from     messages.Index
		recalled *messages.Recalled
	}
)

// halt says that voting ends for good; why, the tree knows.
type halt struct{}

// After a panic: what a new incarnation asks, and what it is told.
type (
	// rebuild is the question of a new sequencer. The journal takes it after every
	// group it was sent before, and passes it on to the executor.
	rebuild struct{ life int }
	// rebuilt is the executor's answer: what was executed above the stable
	// checkpoint. Until the sequencer is rebuilt no checkpoint becomes durable.
	rebuilt struct {
		life     int
		head     messages.Digest
		executed []*executed
		states   []checkpointReached
	}
	// rebuildDone says that the sequencer knows again where the replica stands.
	rebuildDone struct{}
	// standingWanted asks the sequencer for its standing.
	standingWanted struct{ who *actor.PID }
	// executorRestarted asks for what may have been lost on its way to the
	// executor: decisions, and the stable checkpoint.
	executorRestarted struct{}
	// reportAgain asks a tracker for its decision again.
	reportAgain struct{}
)

// Ingress → signers → whom it concerns.
type (
	// verify is a decoded message of a peer whose contents are unverified.
	verify struct {
		in      *cluster.Inbound
		message messages.Message
	}
	// settled gives a member's credit back, for the votes that were new and valid, or
	// not needed, and for whatever else was worth its cost.
	settled struct {
		from   messages.Index
		votes  []crypto.Verified[messages.Vote] // bundle by bundle
		spared []*messages.Bundle               // not verified
		refund int
	}
	// decidedOffered is a certified batch before anything of it was verified.
	decidedOffered struct {
		in      *cluster.Inbound
		decided *messages.Decided
	}
	// verifiedVotes are the votes of one frame's valid bundles.
	verifiedVotes struct {
		votes []crypto.Verified[messages.Vote]
	}
	// ownVotes are verified votes signed with the own key that came from a peer.
	ownVotes struct {
		votes []crypto.Verified[messages.Vote]
	}
	// batchArrived is a valid batch a member sent.
	batchArrived struct {
		from  messages.Index
		batch *messages.Batch
	}
	// certificateArrived is a verified checkpoint certificate.
	certificateArrived struct{ checkpoint pbft.StableCheckpoint }
	// statusArrived is a member's newest Status.
	statusArrived struct {
		from   messages.Index
		status *messages.Status
	}
	// batchWanted asks for batches on a member's behalf.
	batchWanted struct {
		from    messages.Index
		digests []messages.Digest
	}
	// decidedWanted asks for certified batches on a member's behalf.
	decidedWanted struct {
		from    messages.Index
		request *messages.FetchDecided
	}
	// misbehaved charges the authenticated channel peer.
	misbehaved struct {
		peer messages.Index
		what misbehaviour
	}
)

// Sequencer ⇄ trackers → executor.
type (
	// proposeVote is a tracker's wish to vote.
	proposeVote struct{ vote messages.Vote }
	// waited says that a tracker which waited for all members had what it waited for,
	// and whether the last ones were late.
	waited struct {
		seq  messages.Seq
		late bool
	}
	// trackerRestarted asks the sequencer to replay a sequence's votes.
	trackerRestarted struct{ seq messages.Seq }
	// decided is a batch with its certificate, from a tracker or fetched.
	decided struct {
		commit pbft.Committed
		batch  *messages.Batch
	}
	// executed says that a sequence was executed.
	executed struct {
		seq          messages.Seq
		view         messages.View // of its certificate
		digest, head messages.Digest
		batch        *messages.Batch // nil for the null batch
		fresh        int             // vertices executed for the first time
		finality     time.Duration   // the longest that an own vertex in it took, zero without one
		before       backlog         // before its vertices got their receipts
	}
	// checkpointReached is the digest of the state after seq.
	checkpointReached struct {
		seq   messages.Seq
		state messages.Digest
	}
	// becameStable asks the executor to make a stable checkpoint durable.
	becameStable struct{ checkpoint pbft.StableCheckpoint }
	// stableDurable says it is.
	stableDurable struct{ checkpoint pbft.StableCheckpoint }
)

// Executor ⇄ journal: where finalised batches and certificates lie.
type (
	// keep asks the journal to have the batch and the certificate's bundles on
	// disk, with whatever group comes next; no vote depends on it.
	keep struct{ decision *decided }
	// report asks where everything kept so far lies, once it is written.
	report struct{ seq messages.Seq }
)

// Proposer.
type (
	// wake says that the pool has something new.
	wake struct{}
	// proposal offers a batch to the sequencer.
	proposal struct{ batch *messages.Batch }
	// proposalRefused returns it: not the leader, or the window is full.
	proposalRefused struct{ batch *messages.Batch }
)

// standing says where the sequencer stands, to whoever filters or acts by it.
type standing struct {
	life      int // of the sequencer: a new one may have lost what the one before was sent
	view      messages.View
	active    bool // false while changing to view
	leader    messages.Index
	leads     bool
	marks     pbft.Watermarks
	certified pbft.StableCheckpoint // the highest certificate known
	settled   messages.Seq          // what the view's NewView lists ends here
	underway  []pbft.Underway       // accepted in the view and not executed yet
}

// viewState tells a new view-change manager where the replica stands, and with
// which NewView it got there.
type viewState struct {
	standing leader.Standing
	entered  *pbft.NewView
	left     *viewChangeReleased // the own ViewChange, if it was released; else it will be
}

// Viewchange ⇄ sequencer, signers.
type (
	// suspicion is the manager's opinion of the leader, for Status, and whose
	// ViewChanges for the pending view it holds.
	suspicion struct {
		view messages.View
		kind uint8
		held uint64
	}
	// changeView asks the sequencer to leave for a view.
	changeView struct{ view messages.View }
	// enterView asks it to enter a view with its NewView.
	enterView struct{ newView *pbft.NewView }
	// viewChangeReleased returns the own ViewChange, durable and signed.
	viewChangeReleased struct{ released pbft.ViewChangeReleased }
	// newViewReleased returns the own NewView, likewise.
	newViewReleased struct{ newView *pbft.NewView }
	// viewChangeOffered is a member's ViewChange, NewView or prepared certificate
	// before anything of it was verified.
	viewChangeOffered struct {
		in      *cluster.Inbound
		message messages.Message
	}
	// viewChangeWanted asks for a ViewChange on a member's behalf.
	viewChangeWanted struct {
		from    messages.Index
		request *messages.FetchViewChange
	}
	// preparedWanted asks for a prepared certificate on a member's behalf.
	preparedWanted struct {
		from  messages.Index
		claim messages.Claim
	}
	// viewChangeArrived is a member's verified ViewChange.
	viewChangeArrived struct{ viewChange leader.ViewChange }
	// newViewArrived is a NewView whose signature is its leader's.
	newViewArrived struct {
		via     messages.Index
		newView leader.NewView
	}
	// preparedArrived is a verified prepared certificate.
	preparedArrived struct{ prepared leader.Prepared }
	// invalidPrePrepare says that a view's leader signed what no correct leader
	// would.
	invalidPrePrepare struct{ view messages.View }
)

// Egress.
type (
	send struct {
		to      messages.Index
		lane    cluster.Lane
		message messages.Message
	}
	broadcast struct {
		lane    cluster.Lane
		message messages.Message
	}
)

// misbehaviour names what a member answers for: the channel peer, never a name
// inside a message.
type misbehaviour uint8

const (
	sentInvalidSignature misbehaviour = iota
	sentMalformed
	sentOversized
	sentFlood
	sentWrongState // parts of a snapshot, or a manifest, that are provably none
	wasLate        // with its NewView or batches: a suspicion
	wasSilent      // for long: a suspicion
)

// bundlesOf gives the bundles of verified votes, which come bundle by bundle, each
// whole.
func bundlesOf(votes []crypto.Verified[messages.Vote]) iter.Seq[*messages.Bundle] {
	return func(yield func(*messages.Bundle) bool) {
		for len(votes) > 0 {
			bundle := votes[0].Bundle()
			if !yield(bundle) {
				return
			}
			votes = votes[len(bundle.Votes):]
		}
	}
}
