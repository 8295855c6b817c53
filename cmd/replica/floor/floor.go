package floor

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/cretoai/consensus/cmd/replica/workload"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// Config says what to run.
type Config struct {
	Replicas int
	Scheme   string
	// Depth is how many sequences are in flight.
	Depth int
	// Unanimous decides by what all members accepted, as optimistic mode does: two
	// steps instead of three.
	Unanimous bool
	// TLS encrypts and authenticates the connections.
	TLS bool
	// Sync flushes the journals.
	Sync bool
	// Dir is an existing folder for the journals.
	Dir string
	// JournalBytes is the size of each; 0 means 64 MiB, as a replica's segments.
	JournalBytes int64
}

const journalBytesDefault = 64 << 20

// Floor is a running exchange. It is a workload.Target.
type Floor struct {
	cfg     Config
	genesis *messages.Genesis
	keyring *crypto.Keyring
	members []*member
	running sync.WaitGroup
	spent   spent

	ended context.Context
	end   context.CancelCauseFunc
}

// spent is what all members together have used.
type spent struct {
	sequences, signatures, verifications atomic.Int64
	flushes, flushNanos, journalBytes    atomic.Int64
	messages, networkBytes               atomic.Int64
}

// errStopped ends what runs when Stop is called.
var errStopped = errors.New("the floor was stopped")

// Start makes keys and journals and connects everybody.
func Start(ctx context.Context, cfg Config) (*Floor, error) {
	if cfg.JournalBytes == 0 {
		cfg.JournalBytes = journalBytesDefault
	}
	f := &Floor{cfg: cfg}
	keys, channels, err := f.makeMembers()
	if err != nil {
		return nil, err
	}
	f.ended, f.end = context.WithCancelCause(context.Background())
	for i := range cfg.Replicas {
		j, err := openJournal(filepath.Join(cfg.Dir, fmt.Sprintf("journal-%d", i)), cfg.JournalBytes, cfg.Sync)
		if err != nil {
			return nil, errors.Join(err, f.Stop())
		}
		f.members = append(f.members, newMember(f, messages.Index(i), keys[i], j))
	}
	if err := f.connect(ctx, channels); err != nil {
		return nil, errors.Join(err, f.Stop())
	}
	for _, m := range f.members {
		f.running.Go(m.forwardLoop)
		f.running.Go(m.voteLoop)
	}
	return f, nil
}

// makeMembers draws everybody's keys and makes a genesis of them, as a test
// network's is.
func (f *Floor) makeMembers() ([]crypto.PrivateKey, []ed25519.PrivateKey, error) {
	scheme, err := crypto.SchemeByName(f.cfg.Scheme)
	if err != nil {
		return nil, nil, err
	}
	f.genesis = &messages.Genesis{ChainID: "floor", Scheme: f.cfg.Scheme, Params: messages.DefaultParams()}
	var keys []crypto.PrivateKey
	var channels []ed25519.PrivateKey
	for i := range f.cfg.Replicas {
		seed, err := crypto.GenerateSeed(rand.Reader, scheme)
		if err != nil {
			return nil, nil, err
		}
		key, err := scheme.NewKey(seed)
		if err != nil {
			return nil, nil, err
		}
		public, channel, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		m := messages.Member{Name: fmt.Sprintf("member-%d", i), PublicKey: key.Public().Bytes(), ChannelKey: public}
		binding := messages.ChannelBinding(f.genesis.ChainID, m.Name, m.PublicKey, m.ChannelKey)
		if m.ChannelSignature, err = key.Sign(crypto.PurposeGenesis, binding); err != nil {
			return nil, nil, err
		}
		f.genesis.Members = append(f.genesis.Members, m)
		keys, channels = append(keys, key), append(channels, channel)
	}
	f.keyring, err = crypto.NewKeyring(f.genesis)
	return keys, channels, err
}

// fail ends everything; the first reason stays.
func (f *Floor) fail(err error) { f.end(err) }

// Stop ends the exchange.
func (f *Floor) Stop() error {
	f.end(errStopped)
	for _, m := range f.members {
		m.wakeAll()
		for _, l := range m.links {
			if l != nil {
				l.close()
			}
		}
	}
	f.running.Wait()
	var errs []error
	for _, m := range f.members {
		errs = append(errs, m.journal.close())
	}
	if cause := context.Cause(f.ended); !errors.Is(cause, errStopped) {
		errs = append(errs, cause)
	}
	return errors.Join(errs...)
}

// over reports whether the exchange has ended.
func (f *Floor) over() bool { return f.ended.Err() != nil }

// leader leads the one view there is.
const leader = 0

// Doors implements workload.Target.
func (f *Floor) Doors() int { return len(f.members) }

// Leader implements workload.Target.
func (f *Floor) Leader() int { return leader }

// Count implements workload.Target.
func (f *Floor) Count() (workload.Counters, error) {
	s := &f.spent
	return workload.Counters{
		Sequences:  float64(s.sequences.Load()),
		Signatures: float64(s.signatures.Load()), Verifications: float64(s.verifications.Load()),
		Flushes: float64(s.flushes.Load()), FlushSeconds: float64(s.flushNanos.Load()) / 1e9, JournalBytes: float64(s.journalBytes.Load()),
		Messages: float64(s.messages.Load()), NetworkBytes: float64(s.networkBytes.Load()),
		CPUSeconds: workload.CPUSeconds(),
	}, nil
}
