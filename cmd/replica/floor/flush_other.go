//go:build !linux

package floor

import "os"

const directFlag = 0

// flushData makes what was written durable.
func flushData(file *os.File) error { return file.Sync() }
