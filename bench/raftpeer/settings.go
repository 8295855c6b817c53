package raftpeer

import (
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// appendMax is how many entries are appended, sent and applied together: the
// library's upper bound. Its default of 64 makes so many more flushes.
const appendMax = 1024

// inFlight is how many batches are on their way to a follower before the first is
// answered: the default. More help across long distances only, as the library says.
const inFlight = raft.DefaultMaxRPCsInFlight

// Timeouts. A follower that hears nothing for patience stands for election; on a
// machine under full load the default of a second would measure elections. The first
// election has no reason to wait so long. The lease cannot be longer than the first.
const (
	firstPatience = time.Second
	patience      = 5 * time.Second
	lease         = time.Second
	dialTimeout   = 10 * time.Second
)

// settings are the library's defaults but for what is named here.
func settings(id raft.ServerID) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = id
	c.MaxAppendEntries = appendMax
	c.BatchApplyCh = true // Apply waits for a place in a batch, not for the one before it
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = firstPatience, firstPatience, lease
	c.NoLegacyTelemetry = true // nobody reads it
	c.Logger = hclog.NewNullLogger()
	return c
}

// cacheEntries is how many entries the leader keeps in memory for its followers: all
// that can be on their way, several times. Without the cache it would read from the
// disk what it has just written.
func cacheEntries(outstanding int) int { return max(8*appendMax, 4*outstanding) }
