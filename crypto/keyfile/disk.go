package keyfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// fileBytesMax is far above any file of encode.
const fileBytesMax = 4 << 10

// read reads a key file that only its owner may read.
func read(path string) (*file, error) {
	data, err := readPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	f, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return f, nil
}

func readPrivate(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() { // asked first: to open a pipe waits for its writer
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat() // of what is open, whatever happens to the name meanwhile
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read or written by others (mode %04o); run: chmod 600 %s", path, mode, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, fileBytesMax+1))
	if err != nil {
		return nil, err
	}
	if len(data) > fileBytesMax {
		return nil, fmt.Errorf("%s has more than %d bytes and is no key file", path, fileBytesMax)
	}
	return data, nil
}

// writeNew makes a file of mode 0600 that is, after a crash, there whole or not
// at all. The name is given by a link, which unlike a rename fails if it is
// taken, whoever took it and when.
func writeNew(path string, data []byte) (err error) {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if removed := os.Remove(f.Name()); removed != nil {
			err = errors.Join(err, fmt.Errorf("remove what holds a copy of the key: %w", removed))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("there is a file already, and keys are never overwritten: %w", fs.ErrExist)
	} else if err != nil {
		return err
	}
	return syncFolder(folder)
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
