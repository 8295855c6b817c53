package cometpeer

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"sync/atomic"

	"github.com/cometbft/cometbft/abci/example/kvstore"
	abci "github.com/cometbft/cometbft/abci/types"
)

// application is the key-value store as shipped, which tells submitters when theirs
// was executed.
type application struct {
	*kvstore.Application
	door     byte
	height   atomic.Int64
	vertices atomic.Int64
	waiting  sync.Map // uint64 to *group
}

// group is a group of payloads on its way.
type group struct {
	left    atomic.Int64
	heights []uint64
	done    chan struct{}
}

// A transaction is KEY=VALUE. The key says who waits for it: the door, the group and
// the place in it, in hexadecimal. It also makes two of the same payload different, as
// nonces do for vertices.
const (
	keyBytes  = 1 + 8 + 2
	keyLength = 2 * keyBytes
)

// transaction makes one of a payload, in which the store's two separators are written
// as other characters.
func transaction(door byte, number uint64, place int, payload []byte) []byte {
	var key [keyBytes]byte
	key[0] = door
	binary.BigEndian.PutUint64(key[1:], number)
	binary.BigEndian.PutUint16(key[9:], uint16(place))
	tx := make([]byte, 0, keyLength+1+len(payload))
	tx = append(hex.AppendEncode(tx, key[:]), '=')
	for _, b := range payload {
		if b == '=' || b == ':' {
			b++
			if b == '=' {
				b++
			}
		}
		tx = append(tx, b)
	}
	return tx
}

// FinalizeBlock implements abci.Application: the block is decided, on the disk, and
// now executed. The store's example events are dropped, since nobody subscribes.
func (a *application) FinalizeBlock(ctx context.Context, request *abci.FinalizeBlockRequest) (*abci.FinalizeBlockResponse, error) {
	response, err := a.Application.FinalizeBlock(ctx, request)
	if err != nil {
		return nil, err
	}
	var key [keyBytes]byte
	for i, tx := range request.Txs {
		response.TxResults[i].Events = nil
		if len(tx) < keyLength {
			continue
		}
		if _, err := hex.Decode(key[:], tx[:keyLength]); err != nil || key[0] != a.door {
			continue
		}
		a.executed(binary.BigEndian.Uint64(key[1:]), int(binary.BigEndian.Uint16(key[9:])), request.Height)
	}
	a.vertices.Add(int64(len(request.Txs)))
	a.height.Store(request.Height)
	return response, nil
}

// executed notes that one of a group was.
func (a *application) executed(number uint64, place int, height int64) {
	value, ok := a.waiting.Load(number)
	if !ok {
		return // of a submitter that has gone away
	}
	g := value.(*group)
	g.heights[place] = uint64(height)
	if g.left.Add(-1) == 0 {
		a.waiting.Delete(number)
		close(g.done)
	}
}
