package replica

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/storage"
)

// Inspection is what lies in the folder of a stopped replica.
type Inspection = actors.Inspection

// Inspect reads the folder of a replica that is not running. It is quick: of what
// it finds it checks the checkpoint's certificate only, and ReadLedger all.
func Inspect(home string, genesis *messages.Genesis, member messages.Index) (*Inspection, error) {
	return inspect(vfs.Default, home, genesis, member)
}

func inspect(fs vfs.FS, home string, genesis *messages.Genesis, member messages.Index) (in *Inspection, err error) {
	keyring, err := crypto.NewKeyring(genesis)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	f, err := openStopped(fs, home, keyring, genesis, member)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if in, err = actors.Inspect(f.journal, f.state, genesis); err != nil {
		return nil, err
	}
	if s := in.Stable; s.Seq > 0 {
		if err := keyring.OpenCertificate(messages.Checkpoint, 0, s.Seq, s.Digest, s.Bundles, keyring.Quorum()); err != nil {
			return nil, fmt.Errorf("the stable checkpoint in %s: %w", home, err)
		}
	}
	return in, nil
}

// openStopped opens the folder of a replica that is not running.
func openStopped(fs vfs.FS, home string, keyring *crypto.Keyring, genesis *messages.Genesis, member messages.Index) (*folder, error) {
	if int(member) >= genesis.N() {
		return nil, fmt.Errorf("member %d of %d", member, genesis.N())
	}
	if _, err := fs.Stat(home); err != nil {
		return nil, fmt.Errorf("read the folder of a stopped replica: %w", err)
	}
	return openFolder(fs, home, storage.Identity{Chain: keyring.Chain(), Member: genesis.MemberID(member)}, storage.Options{})
}
