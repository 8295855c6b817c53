package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/cretoai/consensus/cmd/replica/home"
	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/testnet"
)

// Options say what cluster to start.
type Options struct {
	Replicas int
	Scheme   string
	Dir      string // where the network's folders are made
	Log      zerolog.Logger
	Version  string // of the software, as peers are told it
	// RequireVertexSignatures makes a chain whose creators sign.
	RequireVertexSignatures bool
	// OptimisticMode makes a chain in optimistic mode.
	OptimisticMode bool
	// Tune, if not nil, changes what replica i is started from.
	Tune func(i int, h *home.Home, c *replica.Config) ([]replica.Option, error)
	// Faulty, if not nil, tells which replicas to expect nothing of any more.
	Faulty func(i int) bool
}

// Cluster is a test network whose replicas run in this process.
type Cluster struct {
	Genesis  *messages.Genesis
	Homes    []*home.Home
	Replicas []*replica.Replica
	faulty   func(i int) bool
}

// Start makes a test network and starts it as "replica start" would, until
// everybody is connected.
func Start(ctx context.Context, o Options) (c *Cluster, err error) {
	n := testnet.DefaultOptions()
	n.Dir, n.Replicas, n.ChainID, n.Scheme = o.Dir, o.Replicas, "demo", o.Scheme
	n.RequireVertexSignatures, n.OptimisticMode = o.RequireVertexSignatures, o.OptimisticMode
	if n.BasePort, err = freePorts(o.Replicas); err != nil {
		return nil, err
	}
	network, err := testnet.Generate(n)
	if err != nil {
		return nil, err
	}
	c = &Cluster{Genesis: network.Genesis, faulty: o.Faulty}
	if c.faulty == nil {
		c.faulty = func(int) bool { return false }
	}
	for _, r := range network.Replicas {
		err := context.Cause(ctx)
		if err == nil {
			err = c.start(ctx, o, r.Home)
		}
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
	}
	if err := c.awaitConnected(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// start starts the next replica.
func (c *Cluster) start(ctx context.Context, o Options, path string) error {
	h, err := home.Load(path)
	if err != nil {
		return err
	}
	config, options := h.ReplicaConfig(), []replica.Option{replica.WithLogger(o.Log), replica.WithVersion(o.Version)}
	if o.Tune != nil {
		more, err := o.Tune(len(c.Replicas), h, &config)
		if err != nil {
			return err
		}
		options = append(options, more...)
	}
	started, err := replica.Start(ctx, config, options...)
	if err != nil {
		return fmt.Errorf("start replica %d: %w", len(c.Replicas), err)
	}
	c.Homes, c.Replicas = append(c.Homes, h), append(c.Replicas, started)
	return h.MarkUsed()
}

// freePorts finds a base port whose test network finds all its ports free. It
// looks below those that systems hand out to outgoing connections.
func freePorts(replicas int) (int, error) {
	const low, high, step, tries = 20_000, 31_000, 10, 100
	for range tries {
		base := low + step*rand.IntN((high-low)/step)
		if PortsAreFree(base, replicas) {
			return base, nil
		}
	}
	return 0, fmt.Errorf("found no %d free ports between %d and %d", 2*replicas, low, high)
}

// PortsAreFree reports whether a test network could have all its ports from base
// on.
func PortsAreFree(base, replicas int) bool {
	for i := range replicas {
		for _, port := range []int{base + 10*i, base + 10*i + 1} {
			l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
			if err != nil || l.Close() != nil {
				return false
			}
		}
	}
	return true
}

// stopTimeout bounds a clean stop.
const stopTimeout = 20 * time.Second

// poll waits until reached is true, or a correct replica has failed.
func (c *Cluster) poll(ctx context.Context, goal string, reached func() bool) error {
	var failed error
	err := workload.Poll(ctx, goal, func() bool {
		if reached() {
			return true
		}
		failed = c.failed()
		return failed != nil
	})
	return cmp.Or(failed, err)
}

// failed says which correct replica stopped by itself, if one did.
func (c *Cluster) failed() error {
	for i, r := range c.Replicas {
		if c.faulty(i) {
			continue
		}
		select {
		case <-r.Done():
			return fmt.Errorf("replica %d failed: %w", i, r.Err())
		default:
		}
	}
	return nil
}

func (c *Cluster) awaitConnected(ctx context.Context) error {
	return c.poll(ctx, "all replicas are connected to each other", func() bool {
		return !slices.ContainsFunc(c.Replicas, func(r *replica.Replica) bool {
			return slices.ContainsFunc(r.Status().Peers, func(p replica.PeerStatus) bool { return !p.Connected })
		})
	})
}

// AwaitRest waits until nothing is on its way any more: receipts are there as
// soon as a quorum has voted and the proposer's own replica has executed.
func (c *Cluster) AwaitRest(ctx context.Context) error {
	var correct []replica.Status
	err := c.poll(ctx, "all replicas have executed everything", func() bool {
		correct = correct[:0]
		for i, s := range c.Statuses() {
			if !c.faulty(i) {
				correct = append(correct, s)
			}
		}
		return atRest(correct)
	})
	if err == nil {
		return nil
	}
	for _, s := range correct {
		err = fmt.Errorf("%w; replica %d, view %d: sequence %d of %d, %d vertices pending", err, s.Replica, s.View, s.Sequence, s.HighestSequence, s.Pending)
	}
	return err
}

// atRest reports whether no vertex waits, nothing is in flight, and all have
// executed as much. Copies of vertices that are still on their way to the leader
// change nothing about it: it knows them.
func atRest(statuses []replica.Status) bool {
	return !slices.ContainsFunc(statuses, func(s replica.Status) bool {
		return s.Pending > 0 || s.HighestSequence != s.Sequence || s.Sequence != statuses[0].Sequence
	})
}

// Statuses are those of all replicas, in their order.
func (c *Cluster) Statuses() []replica.Status {
	list := make([]replica.Status, len(c.Replicas))
	for i, r := range c.Replicas {
		list[i] = r.Status()
	}
	return list
}

// Stop stops all replicas at once: those that stop last should not spend their
// time on missing the others.
func (c *Cluster) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	errs := make([]error, len(c.Replicas))
	var all sync.WaitGroup
	for i, r := range c.Replicas {
		all.Go(func() {
			if err := r.Stop(ctx); err != nil {
				errs[i] = fmt.Errorf("stop replica %d: %w", i, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
