package keyfile

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/cretoai/consensus/messages"
)

// Description is what a key file says of its key, apart from the secret.
type Description struct {
	Purpose string // PurposeConsensus, PurposeChannel or PurposeCreator
	Scheme  string
	ChainID string
	// Fingerprint is the messages.NewMemberID of the public key, or, of a creator's,
	// its messages.NewCreatorID: what its vertices name.
	Fingerprint messages.MemberID
}

// Describe reads a key file for showing, not for use: nothing is derived from
// the seed, so the fingerprint is the file's own claim.
func Describe(path string) (Description, error) {
	f, err := read(path)
	if err != nil {
		return Description{}, err
	}
	return f.Description, nil
}

type file struct {
	Description
	seed []byte
}

// String and Format keep the seed out of whatever prints a file.
func (f file) String() string { return fmt.Sprintf("%s key %v (redacted)", f.Purpose, f.Fingerprint) }

// Format implements fmt.Formatter, for every verb.
func (f file) Format(s fmt.State, _ rune) { fmt.Fprint(s, f.String()) }

const title = "cretoai-consensus secret key, version 1"

// fields are the names before the colons, in order.
var fields = [...]string{"purpose", "scheme", "chain", "fingerprint", "seed"}

var errSelfTest = errors.New("the key does not verify what it signs; the machine or the software is broken")

func (f *file) encode() []byte {
	b := []byte(title + "\n")
	for i, value := range [...]string{
		f.Purpose, f.Scheme, f.ChainID, f.Fingerprint.Hex(), base64.StdEncoding.EncodeToString(f.seed),
	} {
		b = fmt.Appendf(b, "%s: %s\n", fields[i], value)
	}
	return b
}

// decode reads what encode wrote and nothing else. Its errors show no part of
// the file that could be the seed.
func decode(data []byte) (*file, error) {
	lines := strings.Split(string(data), "\n")
	if lines[0] != title {
		return nil, fmt.Errorf("no key file: its first line is not %q", title)
	}
	if want := len(fields) + 2; len(lines) != want { // the title, and what follows the last newline
		return nil, fmt.Errorf("a key file has %d lines, each ending in a newline; this one has %d", want-1, len(lines)-1)
	}
	values := make([]string, len(fields))
	for i, name := range fields {
		value, ok := strings.CutPrefix(lines[i+1], name+": ")
		if !ok {
			return nil, fmt.Errorf("line %d does not begin with %q", i+2, name+": ")
		}
		values[i] = value
	}
	f := &file{Description: Description{Purpose: values[0], Scheme: values[1], ChainID: values[2]}}
	if f.Purpose != PurposeConsensus && f.Purpose != PurposeChannel && f.Purpose != PurposeCreator {
		return nil, fmt.Errorf("line 2: a purpose is %s, %s or %s", PurposeConsensus, PurposeChannel, PurposeCreator)
	}
	if messages.CheckChainID(f.ChainID) != nil {
		return nil, errors.New("line 4: no chain has such a name")
	}
	id, err := hex.DecodeString(values[3])
	if err != nil || len(id) != len(f.Fingerprint) {
		return nil, fmt.Errorf("line 5: a fingerprint has %d hexadecimal digits", 2*len(f.Fingerprint))
	}
	f.Fingerprint = messages.MemberID(id)
	if f.seed, err = base64.StdEncoding.DecodeString(values[4]); err != nil {
		return nil, errors.New("line 6: a seed is written in base64")
	}
	if !bytes.Equal(f.encode(), data) { // base64 and hexadecimal have several spellings
		return nil, errors.New("not written as this software writes key files; restore it from a copy")
	}
	return f, nil
}

func fingerprint(purpose, scheme string, public []byte) messages.MemberID {
	if purpose == PurposeCreator {
		return messages.NewCreatorID(scheme, public)
	}
	return messages.NewMemberID(scheme, public)
}

// checkPublic compares the public key the seed gives with the fingerprint: a
// damaged seed is a valid one, of a key that is nobody's.
func (f *file) checkPublic(public []byte) error {
	if id := fingerprint(f.Purpose, f.Scheme, public); id != f.Fingerprint {
		return fmt.Errorf("the seed gives the key %v, the fingerprint says %v: the file is damaged", id, f.Fingerprint)
	}
	return nil
}
