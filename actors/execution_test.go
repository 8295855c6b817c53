package actors

import (
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/actors/runtime"
)

// An executor that panicked in the middle of a change of its state cannot know
// what it has: the replica stops, and its disk knows.
func TestAChangeThatWasInterruptedStopsTheReplica(t *testing.T) {
	system := actor.NewActorSystem()
	defer system.Shutdown()
	tree := &Tree{
		system: system, links: newLinks(system.Address(), "replica-0"), opened: make(chan error, 1), done: make(chan struct{}),
		pool: newPool(4, 0, 10, 1, runtime.RealClock(), func() {}),
	}
	tree.execution = newExecution(&executedState{seq: 7}, newLayout(0), 8)
	tree.execution.changing = true
	newExecutor(tree, 2).resume(nil)
	if err := tree.Err(); err == nil || !strings.Contains(err.Error(), "in doubt") {
		t.Errorf("the replica goes on: %v", err)
	}
}
