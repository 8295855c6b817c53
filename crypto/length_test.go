package crypto

import (
	"testing"

	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
)

// TestLengthIsOurs: circl before 1.6.2 took signatures with bytes behind them.
// We compare lengths ourselves and never ask it about another.
func TestLengthIsOurs(t *testing.T) {
	careless := *mldsa87Scheme
	careless.verify = func(*mldsa87.PublicKey, []byte, []byte, []byte) bool { return true }
	key, err := careless.NewKey(make([]byte, mldsaSeedBytes))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, mldsa87.SignatureSize - 1, mldsa87.SignatureSize, mldsa87.SignatureSize + 1} {
		if got := key.Public().Verify(PurposeBundle, nil, make([]byte, n)); got != (n == mldsa87.SignatureSize) {
			t.Errorf("%d bytes: %v", n, got)
		}
	}
}
