package actors

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/storage"
)

// testKeyring is that of n members, with their keys.
func testKeyring(t testing.TB, n int) (*messages.Genesis, []crypto.PrivateKey, *crypto.Keyring) {
	t.Helper()
	scheme := cryptotest.NewHMAC()
	genesis, keys, _ := cryptotest.NewMembers(n, 1, scheme)
	keyring, err := crypto.NewKeyringWithScheme(genesis, scheme)
	if err != nil {
		t.Fatal(err)
	}
	return genesis, keys, keyring
}

// memoryState is an empty state store in memory, closed when the test ends.
func memoryState(t testing.TB) *storage.State {
	t.Helper()
	state, err := storage.OpenState("state", vfs.NewMem())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := state.Close(); err != nil {
			t.Error(err)
		}
	})
	return state
}
