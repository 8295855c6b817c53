package replica

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/storage"
)

// Inspection is what lies in the folder of a stopped replica.
type Inspection = actors.Inspection

// Inspect reads the folder of a replica that is not running, and keeps one from
// starting there meanwhile. It changes nothing. It is quick: of what it finds it checks
// the checkpoint's certificate only, and ReadLedger all.
func Inspect(home string, genesis *messages.Genesis, member messages.Index) (*Inspection, error) {
	return inspect(vfs.Default, home, genesis, member)
}

func inspect(fs vfs.FS, home string, genesis *messages.Genesis, member messages.Index) (*Inspection, error) {
	return inspectUnder(fs, home, genesis, member, func() (io.Closer, error) { return storage.LockToReadOn(fs, home) })
}

// Look is Inspect without a lock: a replica may start there meanwhile. If one does, or
// runs there, the error is storage.ErrLocked. It is for who runs none in its process.
func Look(home string, genesis *messages.Genesis, member messages.Index) (*Inspection, error) {
	free := func() (io.Closer, error) {
		held, err := storage.FolderHeld(home)
		if held {
			err = fmt.Errorf("folder %s is in use: %w", home, storage.ErrLocked)
		}
		return io.NopCloser(nil), err
	}
	in, err := inspectUnder(vfs.Default, home, genesis, member, free)
	if _, held := free(); held != nil {
		return nil, held // what was read was written meanwhile
	}
	return in, err
}

// WhoseFolder says which member's folder home is, by the journal in it; the error is
// storage.ErrNotFound if there is none. No key is needed.
func WhoseFolder(home string, genesis *messages.Genesis) (messages.Index, error) {
	if _, err := vfs.Default.Stat(home); err != nil {
		return 0, fmt.Errorf("read the folder of a stopped replica: %w", err)
	}
	path := filepath.Join(home, "journal")
	id, err := storage.JournalIdentity(path, nil)
	if err != nil {
		return 0, fmt.Errorf("the journal, which says whose folder this is: %w", err)
	}
	if chain := genesis.Hash(); id.Chain != chain {
		return 0, &storage.IdentityError{Path: path, Field: "chain", Want: chain, Got: id.Chain}
	}
	member, ok := genesis.IndexOf(id.Member)
	if !ok {
		return 0, fmt.Errorf("%s is that of %v, which is no member of chain %q", path, messages.MemberID(id.Member), genesis.ChainID)
	}
	return member, nil
}

func inspectUnder(fs vfs.FS, home string, genesis *messages.Genesis, member messages.Index, lock func() (io.Closer, error)) (in *Inspection, err error) {
	keyring, err := crypto.NewKeyring(genesis)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	f, err := openStopped(fs, home, keyring, genesis, member, lock)
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
func openStopped(fs vfs.FS, home string, keyring *crypto.Keyring, genesis *messages.Genesis, member messages.Index, lock func() (io.Closer, error)) (*folder, error) {
	if int(member) >= genesis.N() {
		return nil, fmt.Errorf("member %d of %d", member, genesis.N())
	}
	if _, err := fs.Stat(home); err != nil {
		return nil, fmt.Errorf("read the folder of a stopped replica: %w", err)
	}
	return openToRead(fs, home, storage.Identity{Chain: keyring.Chain(), Member: genesis.MemberID(member)}, lock)
}
