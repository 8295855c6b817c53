package testkit_test

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

const keyElsewhere = "cretoai_consensus_own_key_elsewhere_total"

// keyAlarms gives what each replica is told of its own key, from its start on.
func keyAlarms(n int) ([]chan messages.KeyUsedElsewhere, testkit.Option) {
	alarms := make([]chan messages.KeyUsedElsewhere, n)
	for i := range alarms {
		alarms[i] = make(chan messages.KeyUsedElsewhere, 64)
	}
	return alarms, testkit.WithReplica(func(i int) []replica.Option {
		return []replica.Option{replica.WithActor("alarms", func() actor.Actor {
			return actor.ReceiveFunc(func(c actor.Context) {
				if e, ok := c.Message().(messages.KeyUsedElsewhere); ok {
					alarms[i] <- e
				}
			})
		})}
	})
}

// Who is convicted says so itself, once: not after a restart, and with other words when
// the disk was lost and with it the former life.
func TestD3_WhoIsConvictedSaysThatItsKeyIsElsewhere(t *testing.T) {
	alarms, option := keyAlarms(4)
	c := testkit.New(t, 4, option)
	for i := range 3 {
		c.Start(i)
	}
	twin := &impostor{t: t, c: c, self: 1} // has the key of member 1
	lie := twin.lies(5)
	play(t, c, 3, nil).send(0, cluster.LaneVotes, lie)
	e := <-alarms[1]
	if e.Observing || len(e.Votes) != 2 || e.Votes[0] != lie.Vote(0) || e.Votes[1] != lie.Vote(1) {
		t.Errorf("told %+v", e)
	}
	if got := c.Metric(1, keyElsewhere); got != 1 {
		t.Errorf("counted %v", got)
	}
	awaitConviction(c, 2, 1)
	c.Restart(1)
	c.AwaitEqual(c.Propose(0, "it goes on"))
	if got := c.Metric(1, keyElsewhere); got != 0 {
		t.Errorf("told %v times after a restart", got)
	}
	c.Kill(1)
	c.SetDisk(1, vfs.NewMem())
	c.Start(1)
	if e := <-alarms[1]; !e.Observing || len(e.Votes) != 2 {
		t.Errorf("told %+v by a replica that lost its disk", e)
	}
	if len(alarms[0])+len(alarms[1])+len(alarms[2]) > 0 {
		t.Error("told more often")
	}
}
