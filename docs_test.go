package consensus_test

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	quotedFile   = regexp.MustCompile("`([a-z][A-Za-z0-9_/-]*/[A-Za-z0-9_.-]+\\.(?:go|md|yml|toml))`")
	codeFence    = regexp.MustCompile("(?ms)^```.*?^```$")
)

// TestDocumentsPointSomewhere: a page that names a file names one that is
// there. Files move; pages are forgotten.
func TestDocumentsPointSomewhere(t *testing.T) {
	pages, err := moduleFiles(false, ".md")
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) == 0 {
		t.Fatal("no page was found")
	}
	exists := func(name string) bool {
		_, err := os.Stat(name)
		return err == nil
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		report(t, checkPointers(page, string(text), exists))
	}
}

// checkPointers looks at relative links, which start from the page's folder,
// and at quoted paths of sources, which start from the root. What is between
// code fences is output, and not looked at.
func checkPointers(page, text string, exists func(string) bool) (complaints []string) {
	text = codeFence.ReplaceAllString(text, "")
	for _, m := range markdownLink.FindAllStringSubmatch(text, -1) {
		target, _, _ := strings.Cut(m[1], "#")
		if target != "" && !strings.Contains(target, "://") && !strings.HasPrefix(target, "mailto:") && !exists(path.Join(path.Dir(page), target)) {
			complaints = append(complaints, fmt.Sprintf("%s links to %s, which is not there", page, m[1]))
		}
	}
	for _, m := range quotedFile.FindAllStringSubmatch(text, -1) {
		if !exists(m[1]) {
			complaints = append(complaints, fmt.Sprintf("%s names %s, which is not there", page, m[1]))
		}
	}
	return complaints
}

func TestPointerChecksFind(t *testing.T) {
	there := map[string]bool{"docs/a.md": true, "rooms_test.go": true, "pbft/voter.go": true}
	exists := func(name string) bool { return there[name] }
	text := "[a](a.md#x) [rooms](../rooms_test.go) [web](https://x.org/y) [here](#z) `pbft/voter.go`\n" +
		"```\n`pbft/old.go` [b](b.md)\n```\n"
	if got := checkPointers("docs/page.md", text, exists); len(got) != 0 {
		t.Errorf("wrongly refused: %q", got)
	}
	got := checkPointers("docs/page.md", "[b](b.md) and `pbft/old.go`", exists)
	if len(got) != 2 || !strings.Contains(got[0], "b.md") || !strings.Contains(got[1], "pbft/old.go") {
		t.Errorf("found %q, want both", got)
	}
}
