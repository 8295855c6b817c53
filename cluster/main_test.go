package cluster

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/cretoai/consensus/cluster/clustertest"
)

func TestMain(m *testing.M) {
	clustertest.Main("testdata/race.txt", func() { goleak.VerifyTestMain(m) })
}
