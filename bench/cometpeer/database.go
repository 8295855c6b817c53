package cometpeer

import (
	"runtime"
	"sync"

	dbm "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/config"
)

// database is one of a node's as shipped, and one that can be closed under those who
// read it. A node that stops does not wait for the goroutines that gossip with its peers
// before it closes its databases, and what they read then is a panic, which would be
// the end of the whole bench. Here it is the end of that goroutine.
type database struct {
	dbm.DB
	mu     sync.RWMutex
	closed bool
}

func openDatabase(context *config.DBContext) (dbm.DB, error) {
	inner, err := config.DefaultDBProvider(context)
	if err != nil {
		return nil, err
	}
	return &database{DB: inner}, nil
}

// enter lets a reader in and gives what it calls when it leaves.
func (d *database) enter() (leave func()) {
	d.mu.RLock()
	if d.closed {
		d.mu.RUnlock()
		runtime.Goexit()
	}
	return d.mu.RUnlock
}

// Get implements dbm.DB.
func (d *database) Get(key []byte) ([]byte, error) {
	defer d.enter()()
	return d.DB.Get(key)
}

// Has implements dbm.DB.
func (d *database) Has(key []byte) (bool, error) {
	defer d.enter()()
	return d.DB.Has(key)
}

// Close implements dbm.DB.
func (d *database) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return d.DB.Close()
}
