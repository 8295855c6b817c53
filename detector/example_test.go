package detector_test

import (
	"fmt"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/detector"
	"github.com/cretoai/consensus/messages"
)

// Member 0 leads view 0 and tells the others of two batches for one place.
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

	d := detector.New(detector.Config{Members: 4, Enabled: true})
	for _, batch := range []messages.Digest{{0xaa}, {0xbb}} {
		vote := messages.Vote{Kind: messages.PrePrepare, View: 0, Seq: 1, Digest: batch}
		_, votes, err := crypto.Seal(keyring, 0, keys[0], []messages.Vote{vote})
		if err != nil {
			panic(err)
		}
		for _, v := range d.Observe(votes[0]) {
			fmt.Printf("%v: %v\n", v.Type, v.Evidence)
			fmt.Println("judged by anyone:", detector.VerifyEvidence(keyring, *v.Evidence))
		}
	}
	fmt.Println("banned:", d.IsBanned(0), "reputation:", d.Reputation(0))
	// Output:
	// equivocation: member 0 signed two pre-prepares at view 0, seq 1: aa000000 and bb000000
	// judged by anyone: <nil>
	// banned: true reputation: 0
}
