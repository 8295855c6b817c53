package keyfile_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/keyfile"
)

func Example() {
	folder, err := os.MkdirTemp("", "keyfile")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "consensus.key")

	if _, err := keyfile.GenerateConsensus(path, crypto.DefaultScheme, "example"); err != nil {
		panic(err)
	}
	key, err := keyfile.LoadConsensus(path, "example")
	if err != nil {
		panic(err)
	}
	fmt.Println(key)

	_, err = keyfile.LoadChannel(path, "example")
	fmt.Println("as a channel key:", err != nil)
	// Output:
	// ml-dsa-87 private key (redacted)
	// as a channel key: true
}
