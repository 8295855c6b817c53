package messages

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Genesis is what all members agree on before they agree on anything: who they
// are and the parameters of the protocol. Its hash stands for the chain in
// everything that is signed.
type Genesis struct {
	ChainID string   `json:"chain_id"`
	Scheme  string   `json:"signature_algorithm"`
	Params  Params   `json:"params"`
	Members []Member `json:"members"`
}

// Params are the agreed parameters. If they differed between replicas, correct
// ones would take each other for faulty.
type Params struct {
	// CheckpointInterval is how many sequences lie between two checkpoints.
	CheckpointInterval Seq `json:"checkpoint_interval"`
	// SnapshotInterval is how many lie between two snapshots; a multiple.
	SnapshotInterval Seq `json:"snapshot_interval"`
	// Window is L, the distance between the watermarks: two intervals.
	Window Seq `json:"window"`
	// BatchVertices and BatchBytes bound a batch.
	BatchVertices uint32 `json:"batch_vertices"`
	BatchBytes    uint32 `json:"batch_bytes"`
	// NonceWindow is W, how many nonces of a creator are remembered.
	NonceWindow uint32 `json:"nonce_window"`
	// RequireVertexSignatures refuses vertices their creator did not sign, and has
	// creators named by their keys, see NewCreatorID. Without it there are no
	// signatures of creators.
	RequireVertexSignatures bool `json:"require_vertex_signatures"`
	// OptimisticMode lets a batch be final once all members accepted it, a round
	// before a quorum could have committed it. View changes keep what was final that
	// way, so all members must agree on the mode.
	OptimisticMode bool `json:"optimistic_mode"`
}

// DefaultParams are the parameters of a new chain.
func DefaultParams() Params {
	return Params{
		CheckpointInterval: 128,
		SnapshotInterval:   1024,
		Window:             256,
		BatchVertices:      BatchVerticesMax,
		BatchBytes:         BatchBytesMax,
		NonceWindow:        16384,
	}
}

// Member is one replica of the membership. Its place in the list is its Index.
type Member struct {
	Name string `json:"name"`
	// PublicKey verifies the member's votes, in the scheme's encoding.
	PublicKey []byte `json:"public_key"`
	// ChannelKey is the Ed25519 public key that authenticates its connections.
	ChannelKey []byte `json:"channel_key"`
	// ChannelSignature is the member's signature over ChannelBinding.
	ChannelSignature []byte `json:"channel_signature"`
}

// ChannelKeyBytes is the size of an Ed25519 public key.
const ChannelKeyBytes = 32

// PublicKeyBytesMax bounds a public key of any scheme (ML-DSA-87: 2592).
const PublicKeyBytesMax = 4 << 10

// ChannelBinding is what a member's ChannelSignature signs: that the channel
// key is its own, on this chain. It holds the chain's name and not the genesis
// hash, which covers the channel keys themselves.
func ChannelBinding(chainID, name string, publicKey, channelKey []byte) []byte {
	b := []byte("cretoai-consensus/v1/channel\x00")
	for _, part := range [][]byte{[]byte(chainID), []byte(name), publicKey, channelKey} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

// ParseGenesis reads a genesis file: JSON, without fields it does not know,
// and valid.
func ParseGenesis(data []byte) (*Genesis, error) {
	if len(data) > GenesisBytesMax {
		return nil, fmt.Errorf("genesis: %d bytes, at most %d are read", len(data), GenesisBytesMax)
	}
	g, err := decodeJSON[Genesis](data)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	return &g, nil
}

// ParseMember reads a member's entry for the genesis file, as strictly. Whether it
// belongs to a chain is seen with the others, by Validate and crypto.NewKeyring.
func ParseMember(data []byte) (Member, error) { return decodeJSON[Member](data) }

// decodeJSON reads one object that has no fields the type does not know, and none twice.
func decodeJSON[T Genesis | Member](data []byte) (v T, err error) {
	if err := checkJSONKeys(data); err != nil {
		return v, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, fmt.Errorf("at byte %d: %w", d.InputOffset(), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, fmt.Errorf("at byte %d: something follows the closing brace", d.InputOffset())
	}
	return v, nil
}

// fieldLetters are those of every field's name. encoding/json takes CHAIN_ID for
// chain_id; who reads the file with something else might not.
const fieldLetters = "abcdefghijklmnopqrstuvwxyz_"

// checkJSONKeys refuses an object that has a key twice, in one spelling or in
// several: which of them holds must not depend on who reads the file.
func checkJSONKeys(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	type level struct {
		keys map[string]bool // nil in an array
		key  bool            // the next string is a key
	}
	var levels []level
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("at byte %d: %w", d.InputOffset(), err)
		}
		top := len(levels) - 1
		if s, ok := token.(string); ok && top >= 0 && levels[top].key {
			if levels[top].keys[s] {
				return fmt.Errorf("at byte %d: field %q appears twice", d.InputOffset(), s)
			}
			if strings.Trim(s, fieldLetters) != "" {
				return fmt.Errorf("at byte %d: field %q: names of fields have lower-case letters and '_' only", d.InputOffset(), s)
			}
			levels[top].keys[s] = true
			levels[top].key = false
			continue
		}
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{keys: make(map[string]bool), key: true})
			continue
		case json.Delim('['):
			levels = append(levels, level{})
			continue
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:top]
			top--
		}
		if top >= 0 && levels[top].keys != nil {
			levels[top].key = true // a value ended
		}
	}
}

// Encode gives the file ParseGenesis reads: the same bytes for the same value.
func (g *Genesis) Encode() []byte {
	b, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("a genesis has nothing that JSON cannot hold: %v", err))
	}
	return append(b, '\n')
}

// Validate checks what can be judged without keys; crypto.NewKeyring checks
// the rest. It joins every complaint.
func (g *Genesis) Validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if err := CheckChainID(g.ChainID); err != nil {
		errs = append(errs, err)
	}
	if g.Scheme == "" {
		complain("signature_algorithm is missing")
	}
	if n := len(g.Members); n < MembersMin || n > MembersMax {
		complain("%d members: %d to %d are allowed", n, MembersMin, MembersMax)
	}
	errs = append(errs, validateMembers(g.Members[:min(len(g.Members), MembersMax)])...)
	return errors.Join(append(errs, g.Params.validate())...)
}

func validateMembers(members []Member) []error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	seen := make(map[string]int, 3*len(members))
	for i, m := range members {
		if !validName(m.Name, 32) {
			complain("member %d: name %q: 1 to 32 of a-z, 0-9 and '-' are allowed", i, m.Name)
		}
		if n := len(m.PublicKey); n == 0 || n > PublicKeyBytesMax {
			complain("member %d: public_key has %d bytes, 1 to %d are allowed", i, n, PublicKeyBytesMax)
		}
		if n := len(m.ChannelKey); n != ChannelKeyBytes {
			complain("member %d: channel_key has %d bytes, an Ed25519 key has %d", i, n, ChannelKeyBytes)
		}
		if n := len(m.ChannelSignature); n == 0 || n > SignatureBytesMax {
			complain("member %d: channel_signature has %d bytes, 1 to %d are allowed", i, n, SignatureBytesMax)
		}
		for _, unique := range []struct{ what, value string }{
			{"name", m.Name}, {"public_key", string(m.PublicKey)}, {"channel_key", string(m.ChannelKey)},
		} {
			key := unique.what + "\x00" + unique.value
			if before, ok := seen[key]; ok {
				complain("members %d and %d have the same %s", before, i, unique.what)
			}
			seen[key] = i
		}
	}
	return errs
}

// CheckChainID says why a chain cannot have this name, if so.
func CheckChainID(id string) error {
	if !validName(id, ChainNameBytesMax) {
		return fmt.Errorf("chain_id %q: 1 to %d of a-z, 0-9 and '-' are allowed", id, ChainNameBytesMax)
	}
	return nil
}

func validName(s string, bytesMax int) bool {
	return s != "" && len(s) <= bytesMax && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// signedBatchBytesMin leaves room for a vertex beside its creator's key and
// signature, whatever the scheme.
const signedBatchBytesMin = 16 << 10

func (p Params) validate() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf("params: "+format, args...)) }
	if p.CheckpointInterval == 0 || p.CheckpointInterval > WindowMax/2 {
		complain("checkpoint_interval %d: 1 to %d is allowed", p.CheckpointInterval, WindowMax/2)
	} else {
		if p.Window != 2*p.CheckpointInterval {
			complain("window %d: it is two checkpoint intervals, %d", p.Window, 2*p.CheckpointInterval)
		}
		if p.SnapshotInterval == 0 || p.SnapshotInterval%p.CheckpointInterval != 0 {
			complain("snapshot_interval %d: a multiple of checkpoint_interval %d is allowed", p.SnapshotInterval, p.CheckpointInterval)
		}
	}
	if p.BatchVertices == 0 || p.BatchVertices > BatchVerticesMax {
		complain("batch_vertices %d: 1 to %d is allowed", p.BatchVertices, BatchVerticesMax)
	}
	if p.BatchBytes < 1024 || p.BatchBytes > BatchBytesMax {
		complain("batch_bytes %d: 1024 to %d is allowed", p.BatchBytes, BatchBytesMax)
	}
	if p.NonceWindow < 64 || p.NonceWindow > NonceWindowMax || p.NonceWindow%64 != 0 {
		complain("nonce_window %d: a multiple of 64 up to %d is allowed", p.NonceWindow, NonceWindowMax)
	}
	if p.RequireVertexSignatures && p.BatchBytes < signedBatchBytesMin {
		complain("batch_bytes %d: at least %d is needed with require_vertex_signatures", p.BatchBytes, signedBatchBytesMin)
	}
	return errors.Join(errs...)
}

// Hash identifies the chain: SHA-256 over a fixed layout of every field but the
// channel signatures, which are hedged and differ each time they are made.
func (g *Genesis) Hash() Digest {
	b := []byte("cretoai-consensus/v1/genesis\x00")
	text := func(s []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	text([]byte(g.ChainID))
	text([]byte(g.Scheme))
	p := g.Params
	for _, v := range []uint64{
		uint64(p.CheckpointInterval), uint64(p.SnapshotInterval), uint64(p.Window),
		uint64(p.BatchVertices), uint64(p.BatchBytes), uint64(p.NonceWindow),
	} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	b = append(b, p.modes())
	b = binary.BigEndian.AppendUint32(b, uint32(len(g.Members)))
	for _, m := range g.Members {
		text([]byte(m.Name))
		text(m.PublicKey)
		text(m.ChannelKey)
	}
	return sha256.Sum256(b)
}

// modes are the parameters that are on or off, a bit each.
func (p Params) modes() (bits byte) {
	if p.RequireVertexSignatures {
		bits |= 1
	}
	if p.OptimisticMode {
		bits |= 2
	}
	return bits
}

// N is the number of members.
func (g *Genesis) N() int { return len(g.Members) }

// MemberID is the fingerprint of member i, which must exist.
func (g *Genesis) MemberID(i Index) MemberID { return NewMemberID(g.Scheme, g.Members[i].PublicKey) }

// IndexOf finds a member by its fingerprint.
func (g *Genesis) IndexOf(id MemberID) (Index, bool) {
	for i := range g.Members {
		if g.MemberID(Index(i)) == id {
			return Index(i), true
		}
	}
	return 0, false
}
