package cometpeer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cometbft/cometbft/abci/example/kvstore"
	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/types"

	"github.com/cretoai/consensus/cmd/replica/workload"
)

// Cluster is a running network under load.
type Cluster struct {
	nodes    []*node.Node
	apps     []*application
	proposes []int // the validator whose turn it is, height by height
	groups   atomic.Uint64
}

var _ workload.Target = (*Cluster)(nil)

// chainID is what the validators' chain is called.
const chainID = "bench"

// power is every validator's: all the same.
const power = 10

// Start starts so many validators with their folders in dir and waits until all are
// connected and have executed the first block. So many payloads will be outstanding.
func Start(ctx context.Context, members int, dir string, outstanding int) (_ *Cluster, err error) {
	c := &Cluster{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Stop())
		}
	}()
	validators, genesis, err := makeValidators(members, dir, outstanding)
	if err != nil {
		return nil, err
	}
	c.proposes = rotation(genesis, validators)
	var peers []string
	for i, v := range validators {
		v.config.P2P.PersistentPeers = strings.Join(peers, ",") // each dials those before it
		peers = append(peers, p2p.IDAddressString(v.nodeKey.ID(), v.config.P2P.ListenAddress))
		app := &application{Application: kvstore.NewInMemoryApplication(), door: byte(i)}
		n, err := node.NewNode(ctx, v.config, v.signer, v.nodeKey, proxy.NewConsensusSyncLocalClientCreator(app),
			node.DefaultGenesisDocProviderFunc(v.config), openDatabase,
			node.DefaultMetricsProvider(v.config.Instrumentation), log.NewNopLogger())
		if err != nil {
			return nil, fmt.Errorf("make validator %d: %w", i, err)
		}
		if err := n.Start(); err != nil {
			return nil, fmt.Errorf("start validator %d: %w", i, err)
		}
		c.nodes, c.apps = append(c.nodes, n), append(c.apps, app)
	}
	err = workload.Poll(ctx, "all validators are connected and have a block", func() bool {
		for i, n := range c.nodes {
			if n.Switch().Peers().Size() < members-1 || c.apps[i].height.Load() == 0 {
				return false
			}
		}
		return true
	})
	return c, err
}

// validator is what one is started from.
type validator struct {
	config  *config.Config
	signer  *privval.FilePV
	nodeKey *p2p.NodeKey
}

// makeValidators makes the validators' folders, with the genesis in each.
func makeValidators(members int, dir string, outstanding int) (list []*validator, genesis *types.GenesisDoc, err error) {
	genesis = &types.GenesisDoc{ChainID: chainID, GenesisTime: time.Now().UTC(), ConsensusParams: parameters()}
	for i := range members {
		c := settings(filepath.Join(dir, fmt.Sprintf("comet-%d", i)), outstanding)
		for _, folder := range []string{config.DefaultConfigDir, config.DefaultDataDir} {
			if err := os.MkdirAll(filepath.Join(c.RootDir, folder), 0o755); err != nil {
				return nil, nil, fmt.Errorf("make a validator's folder: %w", err)
			}
		}
		if c.P2P.ListenAddress, err = freeAddress(); err != nil {
			return nil, nil, err
		}
		v := &validator{config: c, signer: privval.NewFilePV(ed25519.GenPrivKey(), c.PrivValidatorKeyFile(), c.PrivValidatorStateFile())}
		v.signer.Save()
		if v.nodeKey, err = p2p.LoadOrGenNodeKey(c.NodeKeyFile()); err != nil {
			return nil, nil, fmt.Errorf("make a validator's key: %w", err)
		}
		public := v.signer.Key.PubKey
		genesis.Validators = append(genesis.Validators, types.GenesisValidator{Address: public.Address(), PubKey: public, Power: power})
		list = append(list, v)
	}
	for _, v := range list {
		if err := genesis.SaveAs(v.config.GenesisFile()); err != nil {
			return nil, nil, fmt.Errorf("write a genesis: %w", err)
		}
	}
	return list, genesis, nil
}

// freeAddress finds a port that is free for now.
func freeAddress() (string, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// rotation is in which order validators propose, from the first height on. With equal
// powers all have their turn before the first has it again.
func rotation(genesis *types.GenesisDoc, validators []*validator) []int {
	var set []*types.Validator
	for _, v := range genesis.Validators {
		set = append(set, types.NewValidator(v.PubKey, v.Power))
	}
	turns := types.NewValidatorSet(set)
	order := make([]int, len(validators))
	for k := range order {
		address := turns.GetProposer().Address
		for i, v := range validators {
			if bytes.Equal(v.signer.GetAddress(), address) {
				order[k] = i
			}
		}
		turns.IncrementProposerPriority(1)
	}
	return order
}

// height is the last height any has executed.
func (c *Cluster) height() (highest int64) {
	for _, a := range c.apps {
		highest = max(highest, a.height.Load())
	}
	return highest
}

// Doors implements workload.Target.
func (c *Cluster) Doors() int { return len(c.nodes) }

// Leader implements workload.Target. It is the validator that proposes the next
// height: what it is given needs no gossip to be in the next block.
func (c *Cluster) Leader() int { return c.proposes[int(c.height())%len(c.proposes)] }

// Submit implements workload.Target.
func (c *Cluster) Submit(ctx context.Context, door int, payloads [][]byte) ([]uint64, error) {
	g := &group{heights: make([]uint64, len(payloads)), done: make(chan struct{})}
	g.left.Store(int64(len(payloads)))
	number, app, pool := c.groups.Add(1), c.apps[door], c.nodes[door].Mempool()
	app.waiting.Store(number, g)
	for i, p := range payloads {
		checked, err := pool.CheckTx(transaction(byte(door), number, i, p), "")
		if err == nil {
			err = checked.Error()
		}
		if err != nil {
			return nil, fmt.Errorf("submit at validator %d: %w", door, err)
		}
	}
	select {
	case <-g.done:
		return g.heights, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Count implements workload.Target: sequences are blocks, and the rest is not counted.
func (c *Cluster) Count() (workload.Counters, error) {
	return workload.Counters{Sequences: float64(c.height()), CPUSeconds: workload.CPUSeconds()}, nil
}

// Agree waits until all validators have executed as much as any, compares the last
// block all have, whose hash covers all before it, and gives how many transactions
// each has executed. Blocks beyond it, if there are any, are empty.
func (c *Cluster) Agree(ctx context.Context) (vertices uint64, err error) {
	err = workload.Poll(ctx, "all validators have executed everything", func() bool {
		for i, a := range c.apps {
			if a.vertices.Load() != c.apps[0].vertices.Load() || c.nodes[i].Mempool().Size() > 0 {
				return false
			}
		}
		return true
	})
	if err != nil {
		return 0, err
	}
	height := c.apps[0].height.Load()
	for _, a := range c.apps {
		height = min(height, a.height.Load())
	}
	first := c.nodes[0].BlockStore().LoadBlockMeta(height)
	for i, n := range c.nodes {
		meta := n.BlockStore().LoadBlockMeta(height)
		if first == nil || meta == nil || !bytes.Equal(meta.BlockID.Hash, first.BlockID.Hash) {
			return 0, fmt.Errorf("validator %d has another block %d than validator 0", i, height)
		}
	}
	return uint64(c.apps[0].vertices.Load()), nil
}

// Stop stops all validators.
func (c *Cluster) Stop() error {
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, n.Stop())
	}
	for _, n := range c.nodes {
		n.Wait()
	}
	return errors.Join(errs...)
}
