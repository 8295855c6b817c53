package floor

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// directFlag opens a file for writing past the page cache.
const directFlag = unix.O_DIRECT

// flushData makes what was written durable, and no times of the file.
func flushData(file *os.File) error {
	for {
		if err := unix.Fdatasync(int(file.Fd())); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
