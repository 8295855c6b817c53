package local

import (
	"fmt"
	"os"

	"github.com/cretoai/consensus/storage"
)

// InMemoryError says that a folder is in memory, where flushing costs nothing.
type InMemoryError struct{ Dir string }

func (e *InMemoryError) Error() string {
	return fmt.Sprintf("%s is in memory (tmpfs): flushing there proves nothing", e.Dir)
}

// Parent is where a cluster's folder is made: dir, or without one where the
// system has temporary folders, if that is a disk. A flush must cost what it costs;
// a folder in memory is an *InMemoryError unless it is allowed.
func Parent(dir string, allowTmpfs bool) (string, error) {
	candidates := []string{dir}
	if dir == "" {
		candidates = []string{os.TempDir(), "/var/tmp"}
		if cache, err := os.UserCacheDir(); err == nil {
			candidates = append(candidates, cache)
		}
	}
	if allowTmpfs {
		return candidates[0], nil
	}
	for _, dir := range candidates {
		info, err := os.Stat(dir)
		if err != nil || !info.IsDir() {
			continue
		}
		if inMemory, err := storage.IsTmpfs(dir); err == nil && !inMemory {
			return dir, nil
		}
	}
	if inMemory, err := storage.IsTmpfs(candidates[0]); err != nil || !inMemory {
		return candidates[0], err // what is wrong with it will show
	}
	return "", &InMemoryError{candidates[0]}
}
