//go:build !linux

package storage

import "errors"

func openDirect(string, bool) (segmentFile, error) { return nil, errors.ErrUnsupported }
