package replica

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/detector"
	"github.com/cretoai/consensus/messages"
)

// EvidenceFolder is the folder in a replica's home that holds what it found
// against members, a file each.
const EvidenceFolder = "evidence"

// evidenceFiles gives what writes a file of evidence into a home folder, whole
// or not at all. Writing the same again changes nothing.
func evidenceFiles(fs vfs.FS, home string) func(name string, data []byte) error {
	return func(name string, data []byte) error {
		dir := filepath.Join(home, EvidenceFolder)
		path := filepath.Join(dir, name)
		if held, err := readFile(fs, path); err == nil && bytes.Equal(held, data) {
			return nil
		}
		if err := fs.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		partial := path + ".partial"
		if err := writeFile(fs, partial, data); err != nil {
			return err
		}
		return fs.Rename(partial, path)
	}
}

func readFile(fs vfs.FS, path string) (data []byte, err error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, messages.InvalidNewViewBytesMax+1))
}

func writeFile(fs vfs.FS, path string, data []byte) (err error) {
	f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// Evidence gives what this replica holds against members, found by itself or
// told by others and judged: at most one proof for each member and kind of vote.
func (r *Replica) Evidence() []*messages.Evidence { return r.tree.Detector().Evidence() }

// EvidenceFile is a file of evidence, as it lies in the home folder.
//
//	Name   string
//	Member messages.Index  whom it convicts
//	Data   []byte
type EvidenceFile = actors.EvidenceFile

// EvidenceFiles gives all evidence this replica holds, that against leaders whose
// NewViews do not follow included, as files.
func (r *Replica) EvidenceFiles() []EvidenceFile { return r.tree.Detector().Files() }

// Verdict is what a file of evidence proves.
type Verdict struct {
	Member messages.Index // who lied
	View   messages.View
	// Evidence are two votes for one place, nil if something else is proved.
	Evidence *messages.Evidence
	// NewView does not follow from its ViewChanges, for Reason; nil if something
	// else is proved.
	NewView *messages.InvalidNewView
	Reason  string
}

// JudgeEvidence judges a file of evidence of any kind with nothing but the
// genesis: an error says why it proves nothing.
func JudgeEvidence(genesis *messages.Genesis, file []byte) (*Verdict, error) {
	if !messages.IsInvalidNewView(file) {
		e, err := VerifyEvidence(genesis, file)
		if err != nil {
			return nil, err
		}
		return &Verdict{Member: e.Member, View: e.View, Evidence: e}, nil
	}
	keyring, err := crypto.NewKeyring(genesis)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	e, err := messages.ParseInvalidNewView(file)
	if err != nil {
		return nil, fmt.Errorf("this is no evidence, or it was changed: %w", err)
	}
	p, err := detector.JudgeNewView(keyring, genesis.Params.Window, e)
	if err != nil {
		return nil, fmt.Errorf("this proves nothing against a member of chain %q: %w", genesis.ChainID, err)
	}
	return &Verdict{Member: e.NewView.Bundle.From, View: e.NewView.Body.View, NewView: e, Reason: p.Reason()}, nil
}

// VerifyEvidence judges a file of two conflicting votes with nothing but the
// genesis: an error says why it proves nothing, otherwise the member named in it
// lied.
func VerifyEvidence(genesis *messages.Genesis, file []byte) (*messages.Evidence, error) {
	keyring, err := crypto.NewKeyring(genesis)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	m, err := messages.DecodeFrame(file)
	if err != nil {
		return nil, fmt.Errorf("this is no evidence, or it was changed: %w", err)
	}
	e, ok := m.(*messages.Evidence)
	if !ok {
		return nil, fmt.Errorf("this is a message of kind %v, not evidence", m.FrameKind())
	}
	var bad *crypto.BundleError
	switch _, err := detector.Judge(keyring, detector.EvidenceOf(e)); {
	case err == nil:
		return e, nil
	case errors.As(err, &bad) && bad.Reason == crypto.NotAMember:
		return nil, fmt.Errorf("member %d is accused, but chain %q has members 0 to %d", e.Member, genesis.ChainID, genesis.N()-1)
	case errors.As(err, &bad) && bad.Reason == crypto.BadSignature:
		return nil, fmt.Errorf("member %d of chain %q did not sign this: it was changed, or is of another chain: %w", e.Member, genesis.ChainID, err)
	default:
		return nil, fmt.Errorf("this proves nothing: %w", err)
	}
}
