package local

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/cretoai/consensus/cluster/clustertest"
)

func TestMain(m *testing.M) {
	clustertest.Main("../../../cluster/testdata/race.txt", func() { goleak.VerifyTestMain(m) })
}
