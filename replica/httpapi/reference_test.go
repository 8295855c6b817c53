package httpapi

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cretoai/consensus/replica"
)

var (
	routed  = regexp.MustCompile(`mux\.Handle(?:Func)?\("([A-Z]+ /[^"]*)"`)
	anyMux  = regexp.MustCompile(`\.Handle(?:Func)?\(`)
	heading = regexp.MustCompile("(?m)^### `([^`]+)`$")
)

func readReference(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheReferenceHasEveryRoute: the page has a heading for each endpoint, and none for
// another. A ServeMux does not say what it serves, so the sources are read.
func TestTheReferenceHasEveryRoute(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := routed.FindAllStringSubmatch(string(text), -1)
		if all := len(anyMux.FindAllString(string(text), -1)); all != len(found) {
			t.Errorf("%s registers %d routes, of which this test can read %d", name, all, len(found))
		}
		for _, m := range found {
			routes = append(routes, m[1])
		}
	}
	if len(routes) == 0 {
		t.Fatal("no route was found")
	}
	var told []string
	for _, m := range heading.FindAllStringSubmatch(readReference(t), -1) {
		told = append(told, m[1])
		if !slices.Contains(routes, m[1]) {
			t.Errorf("docs/reference.md tells of %s, which is not served", m[1])
		}
	}
	for _, route := range routes {
		if !slices.Contains(told, route) {
			t.Errorf("docs/reference.md does not tell of %s", route)
		}
	}
}

// TestTheReferenceNamesEveryField of the answers, and every status of a receipt.
func TestTheReferenceNamesEveryField(t *testing.T) {
	page := readReference(t)
	wanted := []string{
		StatusFinal, StatusFailed, StatusMalformed, StatusInvalid, StatusTooLarge, StatusSignature,
		StatusNotFinal, StatusStopped, StatusSkipped, StatusError,
	}
	wanted = append(wanted, outcomeStatus[1:]...)
	for _, answer := range []any{
		Error{}, Vertex{}, Group{}, Receipt{}, LedgerVertex{}, Ledger{}, Sequence{}, Creator{}, replica.Nonces{}, BatchReceipt{}, Evidence{},
		replica.Ban{}, replica.Status{}, replica.PeerStatus{}, replica.StateTransfer{},
	} {
		kind := reflect.TypeOf(answer)
		for i := range kind.NumField() {
			name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
			if name != "" && name != "-" {
				wanted = append(wanted, name)
			}
		}
	}
	for _, name := range wanted {
		if !strings.Contains(page, "`"+name+"`") && !strings.Contains(page, `"`+name+`":`) {
			t.Errorf("docs/reference.md does not name %s", name)
		}
	}
}
