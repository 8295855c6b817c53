package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/nodeconfig"
	"github.com/cretoai/consensus/replica/testnet"
)

// demoCluster is a test network whose replicas run in this process.
type demoCluster struct {
	genesis  *messages.Genesis
	homes    []*home
	replicas []*replica.Replica
	strike   *strike // nil without a fault
}

// startDemoCluster makes a test network in dir and starts it as "replica start"
// would, until everybody is connected.
func startDemoCluster(ctx context.Context, o demoOptions, dir string, narration io.Writer) (c *demoCluster, err error) {
	n := testnet.DefaultOptions()
	n.Dir, n.Replicas, n.ChainID, n.Scheme = dir, o.replicas, "demo", o.scheme
	if n.BasePort, err = freePorts(o.replicas); err != nil {
		return nil, err
	}
	network, err := testnet.Generate(n)
	if err != nil {
		return nil, err
	}
	c = &demoCluster{genesis: network.Genesis}
	if c.strike, err = newStrike(o, network.Genesis); err != nil {
		return nil, err
	}
	level := nodeconfig.Log{Level: "error", Format: "console"}
	if o.verbose {
		level.Level = "info"
	}
	log := newLog(level, narration)
	fmt.Fprintf(narration, "starting %d replicas with %s keys in %s\n", o.replicas, o.scheme, dir)
	for _, r := range network.Replicas {
		if ctx.Err() != nil {
			return nil, errors.Join(context.Cause(ctx), c.stop())
		}
		h, err := loadHome(r.Home)
		if err != nil {
			return nil, errors.Join(err, c.stop())
		}
		config, options := h.replicaConfig(), []replica.Option{replica.WithLogger(log), replica.WithVersion(softwareVersion())}
		if o.tune != nil {
			options = append(options, o.tune(&config)...)
		}
		started, err := replica.Start(ctx, config, append(options, c.strike.options(len(c.replicas), h)...)...)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start %s: %w", r.Name, err), c.stop())
		}
		c.homes, c.replicas = append(c.homes, h), append(c.replicas, started)
		if err := h.markUsed(); err != nil {
			return nil, errors.Join(err, c.stop())
		}
	}
	if err := c.awaitConnected(ctx); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// freePorts finds a base port whose test network finds all its ports free. It
// looks below those that systems hand out to outgoing connections.
func freePorts(replicas int) (int, error) {
	const low, high, step, tries = 20_000, 31_000, 10, 100
	for range tries {
		base := low + step*rand.IntN((high-low)/step)
		if portsAreFree(base, replicas) {
			return base, nil
		}
	}
	return 0, fmt.Errorf("found no %d free ports between %d and %d", 2*replicas, low, high)
}

func portsAreFree(base, replicas int) bool {
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

// pollInterval is how often the cluster is asked whether it is where it should
// be, before and after the load.
const pollInterval = 10 * time.Millisecond

// poll waits until reached is true for all replicas.
func (c *demoCluster) poll(ctx context.Context, goal string, reached func() bool) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !reached() {
		for i, r := range c.replicas {
			if c.strike.hit(i) {
				continue
			}
			select {
			case <-r.Done():
				return fmt.Errorf("replica %d failed: %w", i, r.Err())
			default:
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", goal, context.Cause(ctx))
		case <-tick.C:
		}
	}
	return nil
}

func (c *demoCluster) awaitConnected(ctx context.Context) error {
	return c.poll(ctx, "all replicas are connected to each other", func() bool {
		return !slices.ContainsFunc(c.replicas, func(r *replica.Replica) bool {
			return slices.ContainsFunc(r.Status().Peers, func(p replica.PeerStatus) bool { return !p.Connected })
		})
	})
}

// awaitRest waits until nothing is on its way any more: receipts are there as
// soon as a quorum has voted and the proposer's own replica has executed.
func (c *demoCluster) awaitRest(ctx context.Context) error {
	return c.poll(ctx, "all replicas have executed everything", func() bool {
		var correct []replica.Status
		for i, s := range c.statuses() {
			if !c.strike.hit(i) {
				correct = append(correct, s)
			}
		}
		return atRest(correct)
	})
}

// atRest reports whether no vertex waits, nothing is in flight, and all have
// executed as much. Copies of vertices that are still on their way to the leader
// change nothing about it: it knows them.
func atRest(statuses []replica.Status) bool {
	return !slices.ContainsFunc(statuses, func(s replica.Status) bool {
		return s.Pending > 0 || s.HighestSequence != s.Sequence || s.Sequence != statuses[0].Sequence
	})
}

func (c *demoCluster) statuses() []replica.Status {
	list := make([]replica.Status, len(c.replicas))
	for i, r := range c.replicas {
		list[i] = r.Status()
	}
	return list
}

// stop stops all replicas at once: those that stop last should not spend their
// time on missing the others.
func (c *demoCluster) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	errs := make([]error, len(c.replicas))
	var all sync.WaitGroup
	for i, r := range c.replicas {
		all.Go(func() {
			if err := r.Stop(ctx); err != nil {
				errs[i] = fmt.Errorf("stop replica %d: %w", i, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
