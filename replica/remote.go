package replica

import (
	"errors"
	"log/slog"

	"github.com/cretoai/consensus/cluster"
)

func (r *Replica) remote(cfg *Config, log *slog.Logger) (cluster.Transport, error) {
	return nil, errors.New("no network yet")
}
