package testnet

import (
	"errors"
	"fmt"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// Options says what network to make.
type Options struct {
	// Dir is the folder to make. It must not exist, or be empty.
	Dir string
	// Replicas is the number of members. Default 4, which tolerate a faulty one.
	Replicas int
	// BasePort is replica 0's port for its peers. Replica i has port
	// BasePort + 10·i for its peers and the next one for its API, all on
	// 127.0.0.1. Default 7000.
	BasePort int
	// ChainID names the chain, for people: what tells chains apart is the hash
	// of the genesis. Default "testnet".
	ChainID string
	// Scheme is the signature algorithm. Default crypto.DefaultScheme.
	Scheme string
	// RequireVertexSignatures makes a chain on which creators sign their vertices, and
	// the key of a first one, CreatorKeyFile. Any other is made without asking anyone:
	// a creator is named by its key.
	RequireVertexSignatures bool
	// OptimisticMode makes a chain in optimistic mode, see messages.Params.
	OptimisticMode bool
}

// DefaultOptions gives the defaults above; Dir has none.
func DefaultOptions() Options {
	return Options{Replicas: 4, BasePort: 7000, ChainID: "testnet", Scheme: crypto.DefaultScheme}
}

const (
	portStep = 10 // between two replicas
	portMin  = 1024
	portMax  = 65535
)

func (o Options) peerPort(i int) int { return o.BasePort + portStep*i }
func (o Options) apiPort(i int) int  { return o.peerPort(i) + 1 }

// validate joins every complaint.
func (o Options) validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Dir == "" {
		complain("no folder given to make the network in")
	}
	if o.Replicas < messages.MembersMin || o.Replicas > messages.MembersMax {
		complain("%d replicas: %d to %d are allowed", o.Replicas, messages.MembersMin, messages.MembersMax)
	} else if last := portMax - (o.apiPort(o.Replicas-1) - o.BasePort); o.BasePort < portMin || o.BasePort > last {
		complain("base port %d: %d to %d are allowed, for %d replicas take the ports up to the base port + %d",
			o.BasePort, portMin, last, o.Replicas, o.apiPort(o.Replicas-1)-o.BasePort)
	}
	if err := messages.CheckChainID(o.ChainID); err != nil {
		errs = append(errs, err)
	}
	if _, err := crypto.SchemeByName(o.Scheme); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
