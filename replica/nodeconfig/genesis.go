package nodeconfig

import (
	"fmt"

	"github.com/cretoai/consensus/messages"
)

// CheckAgainst compares a valid configuration with the genesis file it is used
// with: whatever repeats an agreed parameter must repeat it truly. The error is
// the joined Complaints. Whether the key belongs to a member is known only to
// who has read it, see LoadIdentity.
func (c *Config) CheckAgainst(g *messages.Genesis) error {
	var complaints []*Complaint
	complain := func(key, allowed, format string, args ...any) {
		complaints = append(complaints, c.origin.complain(key, allowed, format, args...))
	}
	n := g.N()
	if err := messages.CheckQuorumThreshold(c.Consensus.QuorumThreshold, n); err != nil {
		complain("consensus.quorum_threshold", "", "%v", err)
	}
	if c.Crypto.SignatureAlgorithm != g.Scheme {
		complain("crypto.signature_algorithm", quote(g.Scheme),
			"the members of chain %s sign with %s, not %s", quote(g.ChainID), quote(g.Scheme), quote(c.Crypto.SignatureAlgorithm))
	}
	if len(c.Network.Peers) != n {
		complain("network.peers", fmt.Sprintf("%d addresses, one a member", n),
			"%d addresses for the %d members of chain %s", len(c.Network.Peers), n, quote(g.ChainID))
	}
	if depth, window := uint64(c.Consensus.PipelineDepth), uint64(g.Params.Window); depth > window {
		complain("consensus.pipeline_depth", fmt.Sprintf("1 to %d", window),
			"%d sequences do not fit into the window of %d of chain %s", depth, window, quote(g.ChainID))
	}
	if len(complaints) > 0 {
		return join(complaints)
	}
	return nil
}
