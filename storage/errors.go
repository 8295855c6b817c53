package storage

import (
	"errors"
	"fmt"
	"syscall"
)

var (
	// ErrDiskFull says that the disk, or the owner's quota of it, has no space
	// left.
	ErrDiskFull = errors.New("no space left on the disk: free some, or move the folder to a larger disk, then start again")
	// ErrGroupTooLarge says that a group does not fit an empty segment. Nothing
	// was written, and the journal works on.
	ErrGroupTooLarge = errors.New("group exceeds a segment: use larger segments or smaller groups")
	// ErrReleased says that a segment asked for was released before.
	ErrReleased = errors.New("segment was released")
	// ErrClosed says that the journal was closed.
	ErrClosed = errors.New("journal is closed")
	// ErrReadOnly says that the journal was opened for reading.
	ErrReadOnly = errors.New("journal is open for reading only")
	// ErrNotFound says that a key, or a sequence of the ledger, is not stored.
	ErrNotFound = errors.New("not found")
	// ErrLocked says that another replica holds the folder.
	ErrLocked = errors.New("another replica is running there: stop it first, or use another folder")
)

// CorruptionError says that data which had been durable is damaged. It is not
// what a power cut leaves behind; see the package documentation.
type CorruptionError struct {
	Path    string // the file, or the folder if a file is missing
	Segment uint64
	Offset  int64  // of the damage within the file
	Group   uint64 // the damaged group; 0 if it is not known
	Reason  string
}

func (e *CorruptionError) Error() string {
	group := ""
	if e.Group != 0 {
		group = fmt.Sprintf(", group %d", e.Group)
	}
	return fmt.Sprintf("journal is damaged at %s, offset %d%s: %s. "+
		"Votes this replica has sent may be lost, so it must not go on from here: "+
		"keep the folder for inspection, check the disk, and let the replica rejoin as one that lost its data",
		e.Path, e.Offset, group, e.Reason)
}

// IdentityError says that a journal belongs to another chain or member.
type IdentityError struct {
	Path      string
	Field     string // "chain" or "member"
	Want, Got [32]byte
}

func (e *IdentityError) Error() string {
	return fmt.Sprintf("%s belongs to another %s: it holds %x, this replica's is %x. "+
		"Give this replica its own folder, and never another's data", e.Path, e.Field, e.Got[:8], e.Want[:8])
}

// VersionError says that a journal was written in a newer format.
type VersionError struct {
	Path    string
	Version uint32 // found
	Newest  uint32 // known
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s has format version %d, this program knows versions up to %d: run the newer release that wrote it",
		e.Path, e.Version, e.Newest)
}

// wrap says what failed, and marks a full disk as ErrDiskFull.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = fmt.Errorf("%w (%w)", ErrDiskFull, err)
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}
