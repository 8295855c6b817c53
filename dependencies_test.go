package consensus_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDependenciesAreListed: docs/dependencies.md gives the reason, version
// and licence of every module the product asks for, and of none it does not.
func TestDependenciesAreListed(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	required := directRequirements(string(mod))
	if len(required) == 0 {
		t.Fatal("go.mod requires nothing directly: the parser is broken")
	}
	report(t, compareDependencies(required, listedDependencies(string(page))))
}

type requirement struct{ module, version string }

var requireLine = regexp.MustCompile(`^(?:require )?\s*([a-z0-9.-]+\.[a-z]+/\S+) (v\S+)(\s*// indirect)?\s*$`)

// directRequirements reads go.mod's require lines without // indirect.
func directRequirements(mod string) (direct []requirement) {
	for line := range strings.Lines(mod) {
		if m := requireLine.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil && m[3] == "" {
			direct = append(direct, requirement{m[1], m[2]})
		}
	}
	return direct
}

// A module is listed by a heading "### module version".
var dependencyHeading = regexp.MustCompile("(?m)^### `([^ `]+)` (v\\S+)$")

func listedDependencies(page string) (listed []requirement) {
	for _, m := range dependencyHeading.FindAllStringSubmatch(page, -1) {
		listed = append(listed, requirement{m[1], m[2]})
	}
	return listed
}

func compareDependencies(required, listed []requirement) (complaints []string) {
	for _, r := range required {
		if !slices.Contains(listed, r) {
			complaints = append(complaints, fmt.Sprintf("docs/dependencies.md lacks the heading \"### `%s` %s\", with its reason and licence", r.module, r.version))
		}
	}
	for _, l := range listed {
		if !slices.Contains(required, l) {
			complaints = append(complaints, fmt.Sprintf("docs/dependencies.md lists %s %s, which go.mod does not require directly in this version", l.module, l.version))
		}
	}
	return complaints
}

func TestDependencyChecksFind(t *testing.T) {
	required := directRequirements("module m\n\ngo 1.26.0\n\nrequire github.com/a/b v1.0.0\n\nrequire (\n\tgithub.com/c/d/v2 v2.1.0\n\tx.org/e v0.0.1 // indirect\n)\n")
	if want := []requirement{{"github.com/a/b", "v1.0.0"}, {"github.com/c/d/v2", "v2.1.0"}}; !slices.Equal(required, want) {
		t.Fatalf("read %v, want %v", required, want)
	}
	listed := listedDependencies("# x\n### `github.com/a/b` v1.0.0\ntext\n### `github.com/c/d/v2` v2.0.0\n")
	got := compareDependencies(required, listed)
	if len(got) != 2 || !strings.Contains(got[0], "v2.1.0") || !strings.Contains(got[1], "v2.0.0") {
		t.Errorf("a version that differs gives %q, want both sides named", got)
	}
}
