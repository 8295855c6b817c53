package sim

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
	"github.com/asynkron/protoactor-go/extensions"
)

// systems makes actor systems, of which a run needs one for each life of each
// member. The library gives every system 1024 registries of 32 maps each, for a
// crowd of actors on many cores: a fifth of all that a run allocated. A member has
// forty actors on one thread, so one of the library's systems is taken apart, and
// its registries dealt out, one a system.
var systems struct {
	sync.Mutex
	model      *actor.ActorSystem
	registries actor.SliceMap
}

// newSystem makes a system that shares nothing with those before it but its
// configuration: what a former life of a member still sends reaches nobody here.
func newSystem() *actor.ActorSystem {
	model, registry := deal()
	s := *model
	s.ProcessRegistry = &actor.ProcessRegistryValue{ActorSystem: &s, Address: model.Address(), LocalPIDs: registry}
	s.Root = actor.NewRootContext(&s, actor.EmptyMessageHeader)
	s.Guardians = actor.NewGuardians(&s)
	s.EventStream = eventstream.NewEventStream()
	s.DeadLetter = actor.NewDeadLetter(&s)
	s.Extensions = extensions.NewExtensions()
	actor.SubscribeSupervision(&s)
	s.Extensions.Register(actor.NewMetrics(&s, s.Config.MetricsProvider))
	s.ProcessRegistry.Add(actor.NewEventStreamProcess(&s), "eventstream")
	return &s
}

// deal gives an empty registry, and the system to take the rest from.
func deal() (*actor.ActorSystem, *actor.SliceMap) {
	systems.Lock()
	defer systems.Unlock()
	for {
		left := systems.registries.LocalPIDs
		if len(left) == 0 {
			systems.model = newModel()
			left = systems.model.ProcessRegistry.LocalPIDs.LocalPIDs
		}
		last := len(left) - 1
		one := slices.Clone(left[last:])
		left[last] = nil // or all lives ever would be kept
		systems.registries.LocalPIDs = left[:last]
		if one[0].IsEmpty() { // the model's own are in some
			return systems.model, &actor.SliceMap{LocalPIDs: one}
		}
	}
}

// newModel makes a system as a replica does for itself, and silent.
func newModel() *actor.ActorSystem {
	silent := slog.New(slog.DiscardHandler)
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return silent }),
		actor.WithDeadLetterThrottleCount(0),
		actor.WithDeadLetterThrottleInterval(time.Nanosecond),
		actor.WithDeadLetterRequestLogging(false),
	)
}
