package explore

import (
	"fmt"
	"slices"
	"sync"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/pure"
)

// world is what all states have in common.
type world struct {
	cfg     Config
	chain   *pure.Chain
	digests []messages.Digest // of the batches
	names   map[messages.Digest]string
	buffers sync.Pool
	nodes   numbered[*node]
	topics  numbered[uint32]
	entered numbered[*newView]
	reached numbered[reached]
	changes numbered[numberedChange]
	views   memo[viewsKey, []*newView]
	taken   memo[takenKey, *taken]
}

// reached is the digest of a state at a checkpoint.
type reached struct {
	number uint32
	digest messages.Digest
}

func newWorld(cfg Config) *world {
	interval, window := messages.Seq(cfg.Sequences+1), messages.Seq(cfg.Sequences)
	if cfg.Checkpoints {
		interval = 1
	}
	w := &world{cfg: cfg, chain: pure.NewChain(members, cfg.Digests, interval, window)}
	w.chain.Params.OptimisticMode = cfg.Optimistic
	w.digests = w.chain.Digests()
	w.names = map[messages.Digest]string{messages.NullDigest: "null"}
	for i, d := range w.digests {
		w.names[d] = string(rune('a' + i))
	}
	w.buffers.New = func() any { b := make([]byte, 0, 8<<10); return &b }
	return w
}

func (w *world) buffer() []byte { return (*w.buffers.Get().(*[]byte))[:0] }
func (w *world) reuse(b []byte) { w.buffers.Put(&b) }

// first is the state before anything happened.
func (w *world) first() (*state, error) {
	s := new(state)
	for i := range messages.Index(members) {
		if i == w.cfg.Liar {
			continue
		}
		r := pure.New(w.chain, i)
		if w.cfg.Managed {
			r = pure.NewManaged(w.chain, i, start)
		}
		n, err := w.did(&node{}, r, nil, 0)
		if err != nil {
			return nil, err
		}
		s.nodes[i] = n
	}
	return s, nil
}

// lie is a vote of the liar's.
func (w *world) lie(v messages.Vote) pure.Vote {
	_, votes := w.chain.Sign(w.cfg.Liar, v)
	return votes[0]
}

// sequences lists them.
func (w *world) sequences() []messages.Seq {
	list := make([]messages.Seq, w.cfg.Sequences)
	for i := range list {
		list[i] = messages.Seq(i + 1)
	}
	return list
}

// index numbers digests: null is 0.
func (w *world) index(d messages.Digest) int { return slices.Index(w.digests, d) + 1 }

// digest is the one of an index.
func (w *world) digest(i int) messages.Digest {
	if i == 0 {
		return messages.NullDigest
	}
	return w.digests[i-1]
}

func (w *world) describe(v messages.Vote) string {
	return fmt.Sprintf("%v %s at %d in view %d", v.Kind, w.names[v.Digest], v.Seq, v.View)
}
