package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if raceDetector && os.Getenv("GORACE") == "" {
		os.Exit(runSuppressed())
	}
	goleak.VerifyTestMain(m)
}

// runSuppressed runs these tests once more, without the one race that is not
// ours: see testdata/race.txt. The detector reads its settings when a process
// starts.
func runSuppressed() int {
	again := exec.CommandContext(context.Background(), os.Args[0], os.Args[1:]...)
	again.Env = append(os.Environ(), "GORACE=suppressions=testdata/race.txt")
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	var exit *exec.ExitError
	switch err := again.Run(); {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		fmt.Fprintln(os.Stderr, "run the tests with GORACE:", err)
		return 1
	}
}
