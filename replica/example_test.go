package replica_test

import (
	"context"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
)

// Four replicas in one process, on disks and a network in memory, finalise one
// vertex. Without WithTransport and WithStorage they would do so on a folder
// and over mutual TLS.
func ExampleStart() {
	ctx := context.Background()
	scheme, err := crypto.SchemeByName(crypto.DefaultScheme)
	if err != nil {
		fmt.Println(err)
		return
	}
	genesis, keys, _ := cryptotest.NewMembers(4, 1, scheme)
	network := cluster.NewMemoryNetwork(4)
	var replicas []*replica.Replica
	for i, key := range keys {
		cfg := replica.DefaultConfig()
		cfg.Genesis, cfg.Key, cfg.Home, cfg.SegmentBytes = genesis, key, "/home", 4<<20
		r, err := replica.Start(ctx, cfg,
			replica.WithTransport(network.Transport(messages.Index(i))),
			replica.WithStorage(vfs.NewMem()))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer func() {
			if err := r.Stop(ctx); err != nil {
				fmt.Println(err)
			}
		}()
		replicas = append(replicas, r)
	}

	receipt, err := replicas[2].Propose(ctx, replica.Vertex{Payload: []byte("hello")})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Which sequence, and in which view, depends on how fast the first leader was.
	fmt.Printf("final: %v, at position %d of its batch\n", receipt.Seq > 0, receipt.Position)
	// Output: final: true, at position 0 of its batch
}
