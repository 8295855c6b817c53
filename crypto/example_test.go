package crypto_test

import (
	"fmt"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
)

// Member 2 signs two votes as one bundle, member 0 opens it, and somebody who
// passes it on changes it.
func Example() {
	scheme, err := crypto.SchemeByName(crypto.DefaultScheme)
	if err != nil {
		panic(err)
	}
	genesis, keys, _ := cryptotest.NewMembers(4, 1, scheme)
	keyring, err := crypto.NewKeyring(genesis)
	if err != nil {
		panic(err)
	}

	bundle, _, err := crypto.Seal(keyring, 2, keys[2], []messages.Vote{
		{Kind: messages.Commit, View: 0, Seq: 7, Digest: messages.Digest{0xaa}},
		{Kind: messages.Prepare, View: 0, Seq: 8, Digest: messages.Digest{0xbb}},
	})
	if err != nil {
		panic(err)
	}
	votes, err := keyring.Open(bundle)
	if err != nil {
		panic(err)
	}
	for _, v := range votes {
		fmt.Println("member", v.From(), "says", v.Value())
	}

	bundle.Votes[0].Seq = 9
	_, err = keyring.Open(bundle)
	fmt.Println(err)
	// Output:
	// member 2 says commit(view 0, seq 7, aa000000)
	// member 2 says prepare(view 0, seq 8, bb000000)
	// bundle of member 2: bad signature
}
