package raftpeer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/cretoai/consensus/cmd/replica/workload"
)

// Cluster is a running cluster under load.
type Cluster struct{ members []*member }

// member is one voter.
type member struct {
	raft      *raft.Raft
	machine   *machine
	journal   *journal
	transport *raft.NetworkTransport
}

var _ workload.Target = (*Cluster)(nil)

// Start starts so many voters with their logs in dir, and waits for a leader that all
// follow. So many payloads will be outstanding.
func Start(ctx context.Context, members int, dir string, outstanding int) (_ *Cluster, err error) {
	c := &Cluster{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Stop())
		}
	}()
	var voters raft.Configuration
	for range members {
		transport, err := raft.NewTCPTransportWithConfig("127.0.0.1:0", nil, &raft.NetworkTransportConfig{
			MaxPool: members, MaxRPCsInFlight: inFlight, Timeout: dialTimeout, Logger: hclog.NewNullLogger(),
		})
		if err != nil {
			return nil, fmt.Errorf("open a port for raft: %w", err)
		}
		id := strconv.Itoa(len(c.members))
		c.members = append(c.members, &member{transport: transport})
		voters.Servers = append(voters.Servers, raft.Server{ID: raft.ServerID(id), Address: transport.LocalAddr()})
	}
	for i, m := range c.members {
		id := voters.Servers[i].ID
		if err := m.start(id, filepath.Join(dir, "raft-"+string(id)), voters, outstanding); err != nil {
			return nil, fmt.Errorf("start raft member %s: %w", id, err)
		}
	}
	if err := c.awaitLeader(ctx); err != nil {
		return nil, err
	}
	for _, m := range c.members {
		reloadable := m.raft.ReloadableConfig()
		reloadable.HeartbeatTimeout, reloadable.ElectionTimeout = patience, patience
		if err := m.raft.ReloadConfig(reloadable); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (m *member) start(id raft.ServerID, dir string, voters raft.Configuration, outstanding int) error {
	quiet := hclog.NewNullLogger()
	snapshots, err := raft.NewFileSnapshotStoreWithLogger(dir, 1, quiet) // makes dir, too
	if err != nil {
		return err
	}
	if m.journal, err = openJournal(dir); err != nil {
		return err
	}
	m.machine = &machine{}
	cached, err := raft.NewLogCache(cacheEntries(outstanding), m.journal)
	if err != nil {
		return err
	}
	config := settings(id)
	if err := raft.BootstrapCluster(config, cached, m.journal, snapshots, m.transport, voters); err != nil {
		return err
	}
	m.raft, err = raft.NewRaft(config, m.machine, cached, m.journal, snapshots, m.transport)
	return err
}

func (c *Cluster) awaitLeader(ctx context.Context) error {
	return workload.Poll(ctx, "all raft members follow a leader", func() bool {
		leader := c.Leader()
		if leader < 0 {
			return false
		}
		for _, m := range c.members {
			if at, _ := m.raft.LeaderWithID(); at != c.members[leader].transport.LocalAddr() {
				return false
			}
		}
		return true
	})
}

// Doors implements workload.Target.
func (c *Cluster) Doors() int { return len(c.members) }

// Leader implements workload.Target.
func (c *Cluster) Leader() int {
	for i, m := range c.members {
		if m.raft.State() == raft.Leader {
			return i
		}
	}
	return -1
}

// Submit implements workload.Target. Raft does not pass on what a follower is given:
// door has to be the leader's. All payloads are handed in before the first is waited
// for; ctx is not looked at, since a leader that finds no quorum gives up by itself.
func (c *Cluster) Submit(_ context.Context, door int, payloads [][]byte) ([]uint64, error) {
	if door < 0 {
		return nil, errors.New("raft has no leader: run it again on a machine with less to do")
	}
	futures := make([]raft.ApplyFuture, len(payloads))
	for i, p := range payloads {
		futures[i] = c.members[door].raft.Apply(p, 0)
	}
	batches := make([]uint64, len(payloads))
	for i, f := range futures {
		if err := f.Error(); err != nil {
			return nil, fmt.Errorf("apply at raft member %d: %w", door, err)
		}
		batches[i] = f.Response().(uint64)
	}
	return batches, nil
}

// Count implements workload.Target. What is counted of the network is nothing: the
// transport does not say.
func (c *Cluster) Count() (workload.Counters, error) {
	sum := workload.Counters{CPUSeconds: workload.CPUSeconds()}
	for _, m := range c.members {
		_, batches := m.machine.now()
		sum.Sequences = max(sum.Sequences, float64(batches))
		sum.Flushes += float64(m.journal.flushes.Load())
		sum.FlushSeconds += time.Duration(m.journal.nanoseconds.Load()).Seconds()
		sum.JournalBytes += float64(m.journal.bytes.Load())
	}
	return sum, nil
}

// Agree waits until all members have applied as much as any and compares what they
// applied. It gives how many payloads that are.
func (c *Cluster) Agree(ctx context.Context) (vertices uint64, err error) {
	states := make([]state, len(c.members))
	err = workload.Poll(ctx, "all raft members have applied everything", func() bool {
		even := true
		for i, m := range c.members {
			states[i], _ = m.machine.now()
			even = even && states[i].Vertices == states[0].Vertices
		}
		return even
	})
	for i, s := range states {
		if err == nil && s != states[0] {
			err = fmt.Errorf("raft member %d has applied something else than member 0", i)
		}
	}
	return states[0].Vertices, err
}

// Stop stops all members and closes their logs.
func (c *Cluster) Stop() error {
	var errs []error
	var stopping []raft.Future
	for _, m := range c.members {
		if m.raft != nil {
			stopping = append(stopping, m.raft.Shutdown())
		}
	}
	for _, f := range stopping {
		errs = append(errs, f.Error())
	}
	for _, m := range c.members {
		m.transport.CloseStreams() // Close leaves the pooled ones open, and the members they lead to listening
		errs = append(errs, m.transport.Close())
		if m.journal != nil {
			errs = append(errs, m.journal.Close())
		}
	}
	return errors.Join(errs...)
}
