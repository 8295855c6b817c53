package replica

import (
	"fmt"
	"log/slog"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
)

// remote is the transport members use on a network.
func (r *Replica) remote(cfg *Config, log *slog.Logger) (cluster.Transport, error) {
	if len(cfg.Peers) != r.genesis.N() {
		return nil, fmt.Errorf("%d peer addresses for %d members: list one each, in the order of the genesis, the own one included", len(cfg.Peers), r.genesis.N())
	}
	peers := make([]cluster.Peer, len(cfg.Peers))
	for i, address := range cfg.Peers {
		peers[i] = cluster.Peer{Address: address, ChannelKey: r.genesis.Members[i].ChannelKey, Name: r.genesis.Members[i].Name}
	}
	transport, err := cluster.NewRemote(cluster.RemoteConfig{
		Self: r.self, Peers: peers, Listen: cfg.Listen, Key: cfg.ChannelKey, ChainHash: r.keyring.Chain(), Logger: log,
		Observer: cluster.Observer{
			Sent: func(peer messages.Index, lane cluster.Lane, n int) {
				r.metrics.NetworkSent(int(peer), lane.String(), n)
			},
			Dropped: func(_ messages.Index, lane, reason string) {
				if lane == "" { // it came in, from a member that broke the channel's rules
					reason = "malformed"
				}
				r.metrics.Dropped(reason, 1)
			},
			Refused: func(string) { r.metrics.Dropped("refused", 1) },
		},
	})
	if err != nil {
		return nil, err
	}
	return transport, nil
}
