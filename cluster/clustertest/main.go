// Package clustertest is for tests that run several Remotes in one process.
package clustertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// Main runs a package's tests. Under the race detector it has them run in a process
// of their own without the races that the file suppressions lists, which are not
// ours: see cluster/testdata/race.txt. The detector reads its settings when a process
// starts.
func Main(suppressions string, run func()) {
	if raceDetector && os.Getenv("GORACE") == "" {
		os.Exit(again(suppressions))
	}
	run()
}

func again(suppressions string) int {
	cmd := exec.CommandContext(context.Background(), os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), "GORACE=suppressions="+suppressions)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	var exit *exec.ExitError
	switch err := cmd.Run(); {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		fmt.Fprintln(os.Stderr, "run the tests with GORACE:", err)
		return 1
	}
}
