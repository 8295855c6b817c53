package consensus_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestImports holds every folder to its row of the table of rooms.
func TestImports(t *testing.T) { report(t, checkImports(sources(t))) }

func checkImports(files []*source) (complaints []string) {
	for _, s := range files {
		r := roomOf(s.folder)
		if r == nil {
			complaints = append(complaints, s.at(s.ast.Name, "folder %s is no room: list it in rooms_test.go, with whom it may know and why", s.folder))
			continue
		}
		for _, spec := range s.ast.Imports {
			if why := forbidden(r, s, importPath(spec)); why != "" {
				complaints = append(complaints, s.at(spec, "%s must not import %s: %s", r.folder, importPath(spec), why))
			}
			if spec.Name != nil && spec.Name.Name == "." {
				complaints = append(complaints, s.at(spec, "a dot import hides where names come from"))
			}
		}
	}
	return complaints
}

// forbidden gives the reason why a file of a room must not import a path, or
// "". Tests may know more: the libraries of testThird, testkit, cryptotest and
// clustertest, and all the standard library.
func forbidden(r *room, s *source, imported string) string {
	if inside(imported, modulePath) {
		target := roomOf(strings.TrimPrefix(strings.TrimPrefix(imported, modulePath), "/"))
		switch {
		case target == nil:
			return "it is no room of rooms_test.go"
		case target == r || slices.Contains(r.ours, target.folder):
			return ""
		case s.test && (target.folder == "testkit" || slices.Contains(core, target.folder) ||
			strings.HasPrefix(target.folder, "testkit/") || strings.HasPrefix(target.folder, "crypto/") ||
			target.folder == "cluster/clustertest" || target.folder == "actors/runtime"):
			return ""
		}
		return r.why
	}
	if strings.Contains(imported, ".") { // a module of others has a domain
		third := r.third
		if s.test {
			third = slices.Concat(third, testThird)
		}
		if slices.ContainsFunc(third, func(module string) bool { return inside(imported, module) }) {
			return ""
		}
		return "third-party modules are allowed room by room, and this one is not listed here; " + r.why
	}
	if s.test {
		return ""
	}
	if r.pure && !slices.Contains(pureStd, imported) && r.std[imported] == "" {
		return "a pure room uses only what pureStd lists; " + r.why
	}
	if r.still && !r.pure && slices.Contains(chance, imported) && chanceExceptions[imported+" in "+r.folder] == "" {
		return "chance is the Rand that is handed in; " + r.why
	}
	return ""
}

// TestStillRooms: no goroutine and no clock of their own in pure rooms, in the
// actors and in what the simulator drives.
func TestStillRooms(t *testing.T) { report(t, checkStill(sources(t))) }

func checkStill(files []*source) (complaints []string) {
	for _, s := range files {
		r := roomOf(s.folder)
		if s.test || r == nil || !r.pure && !r.still {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if stmt, ok := n.(*ast.GoStmt); ok {
				complaints = append(complaints, s.at(stmt, "a go statement in %s: %s", r.folder, r.why))
			}
			return true
		})
		s.selectors(func(sel *ast.SelectorExpr, pkg string) {
			if slices.Contains(clockFuncs[pkg], sel.Sel.Name) {
				complaints = append(complaints, s.at(sel, "%s.%s in %s: time is handed in, as a value or as a Clock; %s",
					pkg, sel.Sel.Name, r.folder, r.why))
			}
		})
	}
	return complaints
}

// TestNobodySleeps: whoever waits for something waits for that thing. It holds
// for tests too, where a sleep is either too short on a slow machine or too
// long on every other.
func TestNobodySleeps(t *testing.T) { report(t, checkSleep(sources(t))) }

func checkSleep(files []*source) (complaints []string) {
	for _, s := range files {
		s.selectors(func(sel *ast.SelectorExpr, pkg string) {
			if pkg == "time" && sel.Sel.Name == "Sleep" {
				complaints = append(complaints, s.at(sel, "time.Sleep: wait for the event itself"))
			}
		})
	}
	return complaints
}

// TestShippedWithoutTesting: the simulator is part of the command, package
// testing, which registers flags, is not.
func TestShippedWithoutTesting(t *testing.T) { report(t, checkShipped(sources(t))) }

func checkShipped(files []*source) (complaints []string) {
	product := map[string][]*source{}
	for _, s := range files {
		if !s.test {
			product[s.folder] = append(product[s.folder], s)
		}
	}
	seen := map[string]bool{}
	var visit func(folder string, trail []string)
	visit = func(folder string, trail []string) {
		if seen[folder] {
			return
		}
		seen[folder] = true
		trail = append(slices.Clone(trail), folder)
		for _, s := range product[folder] {
			for _, imported := range s.imports() {
				if imported == "testing" {
					complaints = append(complaints, fmt.Sprintf("%s imports testing and is linked into the command by %s", s.path, strings.Join(trail, " → ")))
				}
				if inside(imported, modulePath) {
					visit(strings.TrimPrefix(imported, modulePath+"/"), trail)
				}
			}
		}
	}
	for _, root := range []string{"cmd/replica", "testkit/sim", "testkit/byzantine"} {
		visit(root, nil)
	}
	return complaints
}

// doors are the names that only one file may use, because going through that
// file is what makes a promise of ours true. They are found by name alone: a
// use of the name for something else is excused by its receiver.
var doors = []struct {
	name    string // of the selector; a trailing * stands for any ending
	pkg     string // import path it belongs to; "" for a method
	room    string // only files of this folder and those below; "" for all
	file    string // the one file
	tests   bool   // tests may use it too
	excused map[string]string
	why     string
}{
	{
		name: "Restore", file: "actors/recovery.go", tests: true,
		excused: map[string]string{
			"pbft/restore.go s.voter": "the voter's own records, after the votes in them were restored",
			"actors/appimage.go app":  "an application's state, in which there are no votes",
			"actors/install.go app":   "likewise",
			"actors/secondtry.go app": "likewise",
		},
		why: "Keyring.Restore takes votes as verified without looking at the signature: right for our own journal, and for nothing else",
	},
	{
		name: "PropsFrom*", pkg: protoactor + "/actor", file: "actors/props.go", tests: true,
		why: "one Props made elsewhere escapes the simulator's dispatcher, the middleware and our supervision",
	},
	{
		name: "RequestFuture", room: "actors",
		why: "a future waits by the machine's clock; correlate by view and sequence instead",
	},
	{
		name: "SetReceiveTimeout", room: "actors",
		why: "it uses the machine's clock and races; ask the Clock for a timer that sends a message",
	},
	{
		name: "ReenterAfter", room: "actors",
		why: "the continuation of an old incarnation runs after a restart",
	},
}

// TestDoors holds each of the names above to its one file.
func TestDoors(t *testing.T) { report(t, checkDoors(sources(t))) }

func checkDoors(files []*source) (complaints []string) {
	for _, s := range files {
		s.selectors(func(sel *ast.SelectorExpr, pkg string) {
			for _, d := range doors {
				prefix, anyEnding := strings.CutSuffix(d.name, "*")
				switch {
				case sel.Sel.Name != d.name && !(anyEnding && strings.HasPrefix(sel.Sel.Name, prefix)),
					d.pkg != pkg,
					d.room != "" && !inside(s.folder, d.room),
					s.path == d.file,
					d.tests && (s.test || inside(s.folder, "testkit") || s.folder == "crypto/cryptotest"),
					d.excused[s.path+" "+types.ExprString(sel.X)] != "":
					continue
				}
				complaints = append(complaints, s.at(sel, "%s.%s outside %s: %s", types.ExprString(sel.X), sel.Sel.Name, cmp.Or(d.file, "nowhere at all"), d.why))
			}
		})
	}
	return complaints
}

// TestCryptotestStaysInTests: a scheme whose secrets lie in a table must be
// out of reach of any configuration.
func TestCryptotestStaysInTests(t *testing.T) { report(t, checkCryptotest(sources(t))) }

func checkCryptotest(files []*source) (complaints []string) {
	const cryptotest = modulePath + "/crypto/cryptotest"
	for _, s := range files {
		if s.test || inside(s.folder, "testkit") {
			continue
		}
		for _, spec := range s.ast.Imports {
			if inside(importPath(spec), cryptotest) {
				complaints = append(complaints, s.at(spec, "crypto/cryptotest is for tests and testkit alone"))
			}
		}
	}
	return complaints
}

// TestRoomsAreConsistent: arrows point down the list, with actors/runtime, the
// leaf, as the exception, and the rooms named in a row exist.
func TestRoomsAreConsistent(t *testing.T) {
	place := map[string]int{}
	for i, r := range rooms {
		place[r.folder] = i
		if r.why == "" {
			t.Errorf("%s has no reason", r.folder)
		}
	}
	exempt := []string{"actors/runtime", "crypto/keyfile", "crypto/cryptotest"}
	for i, r := range rooms {
		for _, target := range r.ours {
			at, ok := place[target]
			if !ok {
				t.Errorf("%s may import %s, which is no room", r.folder, target)
			} else if at <= i && !slices.Contains(exempt, target) {
				t.Errorf("%s may import %s, which stands above it", r.folder, target)
			}
		}
	}
}

// TestChecksFind gives every check above something it must find, and the
// legal twin it must leave alone: a check that finds nothing proves nothing.
func TestChecksFind(t *testing.T) {
	const head = "package p\n"
	for _, c := range []struct {
		check func([]*source) []string
		path  string
		text  string
		want  string // part of the one complaint; "" if there must be none
	}{
		{checkImports, "pbft/x.go", `import "os"`, "pureStd"},
		{checkImports, "pbft/x.go", `import "math/rand/v2"`, "pureStd"},
		{checkImports, "pbft/x.go", `import "github.com/rs/zerolog"`, "third-party"},
		{checkImports, "pbft/x.go", `import "github.com/cretoai/consensus/actors"`, "pure"},
		{checkImports, "pbft/x.go", `import "github.com/cretoai/consensus/leader"`, "pure"},
		{checkImports, "pbft/x.go", `import "github.com/cretoai/consensus/crypto"`, ""},
		{checkImports, "pbft/x.go", `import . "fmt"`, "dot import"},
		{checkImports, "pbft/x_test.go", `import "os"`, ""},
		{checkImports, "pbft/x_test.go", `import "github.com/stretchr/testify/require"`, "third-party"},
		{checkImports, "crypto/x.go", `import "crypto/rand"`, "pureStd"},
		{checkImports, "crypto/keyfile/x.go", `import "crypto/rand"`, ""},
		{checkImports, "crypto/keyfile/x.go", `import "os"`, ""},
		{checkImports, "messages/x.go", `import "crypto/rand"`, "pureStd"},
		{checkImports, "messages/x.go", `import "github.com/vmihailenco/msgpack/v5"`, ""},
		{checkImports, "messages/x.go", `import "github.com/vmihailenco/msgpack/v50"`, "third-party"},
		{checkImports, "storage/x.go", `import "github.com/cretoai/consensus/pbft"`, "what a vote is"},
		{checkImports, "cluster/x.go", `import "github.com/cretoai/consensus/metrics"`, "opaque"},
		{checkImports, "actors/x.go", `import "crypto/rand"`, "handed in"},
		{checkImports, "actors/runtime/x.go", `import "crypto/rand"`, ""},
		{checkImports, "actors/runtime/x.go", `import "github.com/cretoai/consensus/messages"`, "leaf"},
		{checkImports, "cmd/replica/x.go", `import "github.com/cretoai/consensus/testkit"`, "made to be shipped"},
		{checkImports, "util/x.go", ``, "no room"},

		{checkStill, "pbft/x.go", `func f() { go f() }`, "go statement"},
		{checkStill, "pbft/x.go", `import "time"; var now = time.Now`, "time.Now"},
		{checkStill, "pbft/x.go", `import clock "time"; func f() { clock.Sleep(1) }`, "time.Sleep"},
		{checkStill, "pbft/x.go", `import "time"; func f(d time.Duration) time.Duration { return 2 * d }`, ""},
		{checkStill, "actors/x.go", `import "context"; var f = context.WithTimeout`, "context.WithTimeout"},
		{checkStill, "actors/runtime/x.go", `import "time"; var f = time.AfterFunc`, ""},
		{checkStill, "cluster/x.go", `func f() { go f() }`, ""},
		{checkStill, "pbft/x_test.go", `func f() { go f() }`, ""},

		{checkSleep, "cluster/x_test.go", `import "time"; func f() { time.Sleep(1) }`, "the event itself"},
		{checkSleep, "cluster/x_test.go", `type t struct{}; func (t) Sleep() {}; func f() { t{}.Sleep() }`, ""},

		{checkShipped, "testkit/sim/x.go", `import "testing"`, "testkit/sim"},
		{checkShipped, "testkit/x.go", `import "testing"`, ""},
		{checkShipped, "testkit/sim/x_test.go", `import "testing"`, ""},

		{checkDoors, "actors/sequencer.go", `func f(k keyring) { k.Restore(nil) }`, "k.Restore outside actors/recovery.go"},
		{checkDoors, "actors/sequencer.go", `func f(a struct{ k keyring }) any { return a.k.Restore }`, "a.k.Restore"},
		{checkDoors, "actors/recovery.go", `func f(k keyring) { k.Restore(nil) }`, ""},
		{checkDoors, "pbft/restore.go", `func f(s seq) { s.voter.Restore(nil) }`, ""},
		{checkDoors, "actors/x.go", `import "github.com/asynkron/protoactor-go/actor"; var p = actor.PropsFromFunc(nil)`, "actor.PropsFromFunc outside actors/props.go"},
		{checkDoors, "actors/x_test.go", `import "github.com/asynkron/protoactor-go/actor"; var p = actor.PropsFromFunc(nil)`, ""},
		{checkDoors, "actors/x.go", `func f(c ctx) { c.SetReceiveTimeout(1) }`, "machine's clock"},

		{checkCryptotest, "actors/x.go", `import "github.com/cretoai/consensus/crypto/cryptotest"`, "testkit alone"},
		{checkCryptotest, "actors/x_test.go", `import "github.com/cretoai/consensus/crypto/cryptotest"`, ""},
		{checkCryptotest, "testkit/sim/x.go", `import "github.com/cretoai/consensus/crypto/cryptotest"`, ""},
	} {
		s, err := parseSource(c.path, []byte(head+c.text+"\n"))
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		got := c.check([]*source{s})
		switch {
		case c.want == "" && len(got) > 0:
			t.Errorf("%s: %s: wrongly refused: %s", c.path, c.text, got)
		case c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)):
			t.Errorf("%s: %s: found %q, want one complaint with %q", c.path, c.text, got, c.want)
		}
	}
}

// TestExcusesAreUsed keeps the lists of exceptions short: what excuses nothing
// any more is removed.
func TestExcusesAreUsed(t *testing.T) {
	used := map[string]bool{}
	imported := map[string]bool{}
	for _, s := range sources(t) {
		s.selectors(func(sel *ast.SelectorExpr, _ string) {
			used[s.path+" "+types.ExprString(sel.X)+"."+sel.Sel.Name] = true
		})
		if r := roomOf(s.folder); r != nil && !s.test {
			for _, p := range s.imports() {
				imported[p+" in "+r.folder] = true
			}
		}
	}
	for _, d := range doors {
		for _, excuse := range slices.Sorted(maps.Keys(d.excused)) {
			if !used[excuse+"."+d.name] {
				t.Errorf("%s excuses %s, which does not use it", d.name, excuse)
			}
		}
	}
	for _, r := range rooms {
		for _, p := range slices.Sorted(maps.Keys(r.std)) {
			if !imported[p+" in "+r.folder] {
				t.Errorf("%s is excused for importing %s, and does not", r.folder, p)
			}
		}
	}
	for _, excuse := range slices.Sorted(maps.Keys(chanceExceptions)) {
		if !imported[excuse] {
			t.Errorf("%s is excused, and not imported", excuse)
		}
	}
}
