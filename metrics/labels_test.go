package metrics

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// countedAs finds what is given as a label's value where something is counted.
var countedAs = regexp.MustCompile(`(Dropped|\.dropped|\.reject|LimitReached)\((?:[^"\n]*, )?"([^"]+)"`)

// TestWhatIsCountedHasALabel: what is in no closed set is counted as "other", where
// nobody finds it again. Who counts is in packages that this one does not know.
func TestWhatIsCountedHasALabel(t *testing.T) {
	sets := map[string][]string{"Dropped": dropReasons, ".dropped": dropReasons, ".reject": dropReasons, "LimitReached": limits}
	found := map[string]int{}
	for _, folder := range []string{"actors", "cluster", "replica"} {
		files, err := filepath.Glob(filepath.Join("..", folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range countedAs.FindAllStringSubmatch(string(text), -1) {
				found[m[1]]++
				if !strings.HasSuffix(name, "_test.go") && !slices.Contains(sets[m[1]], normal(m[2])) {
					t.Errorf("%s counts %q, which is no label's value", name, m[2])
				}
			}
		}
	}
	for method := range sets {
		if found[method] == 0 {
			t.Errorf("nothing was found that calls %s", method)
		}
	}
}
