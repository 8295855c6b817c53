package testkit_test

import (
	"strings"
	"testing"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// inventing is the channel of a leader that lists in its NewViews what nobody
// ever prepared.
type inventing struct {
	cluster.Transport
	sign func(messages.Vote) *messages.Bundle
}

func (l *inventing) Send(to messages.Index, lane cluster.Lane, frame []byte) {
	if m, err := messages.DecodeFrame(frame); err == nil {
		if nv, ok := m.(*messages.NewViewMessage); ok {
			frame = l.lie(nv)
		}
	}
	l.Transport.Send(to, lane, frame)
}

func (l *inventing) lie(nv *messages.NewViewMessage) []byte {
	body := *nv.Body
	body.List = append(append([]messages.Digest{}, body.List...), messages.Digest{7})
	frame, err := messages.EncodeFrame(&messages.NewViewMessage{
		Bundle: l.sign(messages.Vote{Kind: messages.NewView, View: body.View, Digest: body.Digest()}),
		Body:   &body, Certificate: nv.Certificate,
	})
	if err != nil {
		panic(err)
	}
	return frame
}

// A leader whose NewView does not follow from its ViewChanges is convicted by
// all, replaced, and stays convicted through restarts; the file that proves it
// holds the ViewChanges and convinces whoever has the genesis.
func TestAnInvalidNewViewConvictsItsLeader(t *testing.T) {
	var c *testkit.Cluster
	c = testkit.New(t, 7, testkit.WithReplica(func(i int) []replica.Option {
		if i != 1 {
			return nil
		}
		keyring, err := crypto.NewKeyring(c.Genesis)
		if err != nil {
			t.Fatal(err)
		}
		return []replica.Option{replica.WithTransport(&inventing{
			Transport: c.Network.Transport(1),
			sign: func(v messages.Vote) *messages.Bundle {
				b, _, err := crypto.Seal(keyring, 1, c.Key(1), []messages.Vote{v})
				if err != nil {
					panic(err)
				}
				return b
			},
		})}
	}))
	for i := range 7 {
		c.Start(i)
	}
	c.AwaitEqual(c.Propose(2, "under the first leader"))
	c.Kill(0)
	c.Propose(3, "under the third")
	var name string
	for i := 2; i < 7; i++ {
		c.AwaitEvent(i, func(e messages.Event) bool {
			found, ok := e.(messages.InvalidNewViewFound)
			return ok && found.Proof.NewView.Bundle.From == 1
		}, func() bool { return c.Replica(i).Detector().Convicted()[1] })
		bans := c.Replica(i).Bans()
		if len(bans) != 1 || bans[0].Replica != 1 || !bans[0].Convicted || len(bans[0].Evidence) != 1 {
			t.Fatalf("replica %d bans %+v", i, bans)
		}
		name = bans[0].Evidence[0]
	}
	file := readEvidence(t, c, 4, name)
	v, err := replica.JudgeEvidence(c.Genesis, file)
	if err != nil || v.Member != 1 || v.View != 1 || !strings.Contains(v.Reason, "it lists") {
		t.Errorf("the file says %+v, %v", v, err)
	}
	file[len(file)-9] ^= 1
	if v, err := replica.JudgeEvidence(c.Genesis, file); err == nil {
		t.Errorf("a changed file says %+v", v)
	}
	// A member that is in a higher view already, and saw nothing of it, is told.
	c.Start(0)
	c.AwaitEqual(c.Propose(3, "the first leader is back"))
	p, err := messages.ParseInvalidNewView(readEvidence(t, c, 5, name))
	if err != nil {
		t.Fatal(err)
	}
	frame, err := messages.EncodeFrame(p)
	if err != nil {
		t.Fatal(err)
	}
	c.Kill(1)
	teller := c.Network.Transport(1)
	if err := teller.Start(func(any) {}); err != nil {
		t.Fatal(err)
	}
	teller.Send(0, cluster.LaneViewChange, frame)
	c.AwaitEvent(0, func(e messages.Event) bool {
		_, ok := e.(messages.InvalidNewViewFound)
		return ok
	}, func() bool { return c.Replica(0).Detector().Convicted()[1] })
	if err := teller.Stop(); err != nil {
		t.Error(err)
	}
	c.Restart(4)
	if d := c.Replica(4).Detector(); !d.Convicted()[1] || len(d.Files()) != 1 || d.Files()[0].Name != name {
		t.Error("a restart forgot a conviction")
	}
	if err := c.Replica(4).LiftBan(1); err != nil {
		t.Fatal(err)
	}
	c.Restart(4)
	if c.Replica(4).Detector().Convicted()[1] {
		t.Error("a restart forgot a pardon")
	}
	c.Propose(4, "and goes on")
}
