package replica

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
)

// libraryLog is the logger of proto.actor and gRPC: warnings and errors only,
// for what they report below that the replica reports itself.
func libraryLog(log zerolog.Logger) *slog.Logger {
	return slog.New(zerolog.NewSlogHandler(log.Level(max(log.GetLevel(), zerolog.WarnLevel))))
}

// newSystem makes the replica's own actor system. The library's throttle for
// dead letters would keep a goroutine sleeping beyond the system's end; dead
// letters are counted in a metric instead of logged.
func newSystem(log *slog.Logger) *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return log }),
		actor.WithDeadLetterThrottleCount(0),
		actor.WithDeadLetterThrottleInterval(time.Nanosecond),
		actor.WithDeadLetterRequestLogging(false),
	)
}
