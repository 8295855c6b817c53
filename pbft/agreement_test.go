package pbft_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/cretoai/consensus/messages"
)

// schedules runs a test of one cluster over many seeds.
func schedules(t *testing.T, seeds, n, batches int, f faults) {
	t.Helper()
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprintf("n=%d seed=%d", n, seed), func(t *testing.T) {
			newCluster(t, n, seed, batches, f).run(60_000)
		})
	}
}

// Replicas that hear everything late, twice, out of order or not at all agree,
// execute in order and finish. [N9, R1, R2]
func TestAgreementOverRandomSchedules(t *testing.T) {
	schedules(t, 100, 4, 12, faults{})
	schedules(t, 200, 4, 12, faults{loss: 150, repeat: 100})
	schedules(t, 30, 7, 10, faults{loss: 150, repeat: 100})
}

// Any replica may crash between any two events, the leader included. What
// comes back from the disk never votes twice, and the cluster finishes.
func TestD5_ACrashAnywhereBringsNoSecondVote(t *testing.T) {
	schedules(t, 300, 4, 12, faults{loss: 50, repeat: 50, crash: 15, crashesMax: 12})
	schedules(t, 30, 7, 10, faults{loss: 50, repeat: 50, crash: 15, crashesMax: 12})
}

// Views are left at any moment, by anybody, with crashes in between: replicas
// agree, every vote and view-change is durable before it leaves, and the
// cluster finishes. [V3, V4, V7, D5]
func TestAgreementAcrossViews(t *testing.T) {
	schedules(t, 60, 4, 12, faults{views: 5, viewsMax: 12})
	schedules(t, 120, 4, 12, faults{loss: 100, repeat: 50, crash: 15, crashesMax: 12, views: 8, viewsMax: 12})
	schedules(t, 30, 5, 10, faults{loss: 100, repeat: 50, crash: 10, crashesMax: 8, views: 6, viewsMax: 10})
	schedules(t, 20, 7, 10, faults{loss: 50, repeat: 50, crash: 10, crashesMax: 8, views: 4, viewsMax: 8})
}

// A member that lies about its claims, and begins its views several times and
// with any quorum it pleases, splits nobody.
func TestLiesAboutViewsSplitNobody(t *testing.T) {
	executed, top := 0, messages.View(0)
	for seed := range uint64(150) {
		c := newCluster(t, 4, seed, 3, faults{loss: 30, repeat: 50, crash: 5, crashesMax: 6, equivocate: true, views: 6, viewsMax: 12})
		for range 3000 {
			c.step()
		}
		for _, r := range c.replicas[1:] {
			executed += len(r.ledger)
			top = max(top, r.core.View())
		}
	}
	if executed == 0 || top < 4 {
		t.Errorf("%d batches executed, up to view %d: the schedules show nothing", executed, top)
	}
}

// A leader that says something else to everybody splits nobody, though its
// victims crash meanwhile: each votes for one digest, and two replicas that
// execute execute the same. [V1, D5]
func TestAnEquivocatingLeaderSplitsNobody(t *testing.T) {
	executed := 0
	for seed := range uint64(200) {
		c := newCluster(t, 4, seed, 2, faults{loss: 50, repeat: 50, crash: 10, crashesMax: 12, equivocate: true})
		for range 2000 {
			c.step()
		}
		for _, r := range c.replicas[1:] {
			executed += len(r.ledger)
		}
	}
	if executed == 0 {
		t.Error("nothing was ever executed: the schedules show nothing")
	}
}

// The same schedule has the same effects, to the last byte: nothing depends on
// the order of a map, or on anything else that is not an input.
func TestTheSameScheduleHasTheSameEffects(t *testing.T) {
	f := faults{loss: 100, repeat: 50, crash: 10, crashesMax: 5}
	for seed := range uint64(5) {
		var traces [2][]traced
		for i := range traces {
			c := newCluster(t, 4, seed, 12, f)
			c.run(60_000)
			traces[i] = c.trace
		}
		for i, e := range traces[0] {
			if i >= len(traces[1]) || !reflect.DeepEqual(e, traces[1][i]) {
				t.Fatalf("seed %d: effect %d differs: %+v", seed, i, e)
			}
		}
	}
}
