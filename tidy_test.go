package consensus_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/types"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// linesMax is where a file is asked for its second noun.
const linesMax = 500

// TestFilesAreShort also bounds tests: one that nobody can find again protects
// nothing.
func TestFilesAreShort(t *testing.T) { report(t, checkLength(sources(t))) }

func checkLength(files []*source) (complaints []string) {
	for _, s := range files {
		if s.lines > linesMax {
			complaints = append(complaints, fmt.Sprintf("%s has %d lines, more than %d: look for its second noun", s.path, s.lines, linesMax))
		}
	}
	return complaints
}

// TestPackageComments: every package says what it is for.
func TestPackageComments(t *testing.T) { report(t, checkPackageComments(sources(t))) }

func checkPackageComments(files []*source) (complaints []string) {
	documented, first := map[string]bool{}, map[string]*source{}
	for _, s := range files {
		if s.test {
			continue
		}
		if first[s.folder] == nil {
			first[s.folder] = s
		}
		begin := "Package " + s.ast.Name.Name + " "
		if s.ast.Name.Name == "main" {
			begin = "Command "
		}
		if doc := s.ast.Doc.Text(); doc != "" {
			documented[s.folder] = true
			if !strings.HasPrefix(doc, begin) {
				complaints = append(complaints, s.at(s.ast.Doc, "the package comment begins with %q, as godoc wants it", begin))
			}
		}
	}
	for folder, s := range first {
		if !documented[folder] {
			complaints = append(complaints, s.at(s.ast.Name, "package %s has no comment: write doc.go", s.ast.Name.Name))
		}
	}
	return complaints
}

var (
	leftover = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)
	numbered = regexp.MustCompile(`\bTODO\(#\d+\): \S`)
)

// TestNoBareTodo: what is left to do has a number somebody can look up.
func TestNoBareTodo(t *testing.T) { report(t, checkTodo(sources(t))) }

func checkTodo(files []*source) (complaints []string) {
	for _, s := range files {
		for _, group := range s.ast.Comments {
			for _, c := range group.List {
				if leftover.MatchString(c.Text) && !numbered.MatchString(c.Text) {
					complaints = append(complaints, s.at(c, "a bare %s: write TODO(#12): …, or do it", leftover.FindString(c.Text)))
				}
			}
		}
	}
	return complaints
}

// looseDecoding are msgpack's methods that allocate by what the bytes claim,
// recurse as deep as they say, or pick a type at their wish. Decode and Skip
// do all three.
var looseDecoding = []string{
	"Decode", "DecodeMulti", "DecodeValue", "DecodeInterface", "DecodeInterfaceLoose", "DecodeMap", "DecodeTypedMap",
	"DecodeUntypedMap", "DecodeMapKey", "DecodeSlice", "DecodeRaw", "DecodeString", "DecodeBytes", "Query", "Skip",
}

// TestMessagesDecodeExactly: in package messages every value from the wire has
// a type and a bound known before it is read.
func TestMessagesDecodeExactly(t *testing.T) { report(t, checkDecoding(sources(t))) }

func checkDecoding(files []*source) (complaints []string) {
	for _, s := range files {
		if s.test || s.folder != "messages" {
			continue
		}
		msgpackUsed := slices.Contains(s.imports(), msgpack)
		allowed := map[ast.Expr]bool{} // uses of any that hold nothing from the wire
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncType:
				if n.TypeParams != nil { // a constraint
					for _, p := range n.TypeParams.List {
						allowed[p.Type] = true
					}
				}
				if n.Params != nil { // the arguments of a formatted complaint
					for _, p := range n.Params.List {
						if variadic, ok := p.Type.(*ast.Ellipsis); ok {
							allowed[variadic.Elt] = true
						}
					}
				}
			case *ast.KeyValueExpr: // sync.Pool's New
				if f, ok := n.Value.(*ast.FuncLit); ok && types.ExprString(n.Key) == "New" && f.Type.Results.NumFields() == 1 {
					allowed[f.Type.Results.List[0].Type] = true
				}
			case *ast.TypeSpec:
				if n.TypeParams != nil {
					for _, p := range n.TypeParams.List {
						allowed[p.Type] = true
					}
				}
			case *ast.InterfaceType:
				if n.Methods.NumFields() == 0 {
					complaints = append(complaints, s.at(n, "interface{}: decode into a type"))
				}
			case *ast.Ident:
				if n.Name == "any" && !allowed[n] {
					complaints = append(complaints, s.at(n, "any: decode into a type"))
				}
			case *ast.SelectorExpr:
				x, isIdent := n.X.(*ast.Ident)
				switch {
				case isIdent && s.importOf(x.Name) == msgpack && (n.Sel.Name == "Unmarshal" || n.Sel.Name == "Marshal"):
					complaints = append(complaints, s.at(n, "msgpack.%s picks encodings by reflection: write the fields one by one", n.Sel.Name))
				case msgpackUsed && slices.Contains(looseDecoding, n.Sel.Name) && !(isIdent && s.importOf(x.Name) != ""):
					complaints = append(complaints, s.at(n, "%s trusts the bytes for type, depth or size: read the length, compare it, then the value", n.Sel.Name))
				}
			}
			return true
		})
	}
	return complaints
}

// TestMetricsAreNamedOnce: a name in two places is a name that will differ.
func TestMetricsAreNamedOnce(t *testing.T) { report(t, checkMetricNames(sources(t))) }

func checkMetricNames(files []*source) (complaints []string) {
	for _, s := range files {
		if s.test || s.folder == "metrics" {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && strings.Contains(lit.Value, "cretoai_consensus_") {
				complaints = append(complaints, s.at(lit, "only package metrics names a metric"))
			}
			return true
		})
	}
	return complaints
}

// TestErrorsArePointers: whoever asks errors.As for a pointer to an error that comes as
// a value is told nothing; the other way round, go vet finds it.
func TestErrorsArePointers(t *testing.T) { report(t, checkErrorKinds(sources(t))) }

func checkErrorKinds(files []*source) (complaints []string) {
	structs := make(map[string]bool) // folder and name
	for _, s := range files {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if _, ok := spec.Type.(*ast.StructType); ok {
					structs[s.folder+" "+spec.Name.Name] = true
				}
			}
			return true
		})
	}
	for _, s := range files {
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != "Error" || s.test {
				continue
			}
			if value, ok := f.Recv.List[0].Type.(*ast.Ident); ok && value.IsExported() && structs[s.folder+" "+value.Name] {
				complaints = append(complaints, s.at(f, "%s is an error as a value: give its methods a pointer, as all have", value.Name))
			}
		}
	}
	return complaints
}

// TestGoroutinesAreCounted: who starts goroutines, or actors, lets goleak look
// for those that were left behind.
func TestGoroutinesAreCounted(t *testing.T) { report(t, checkLeakTests(sources(t))) }

func checkLeakTests(files []*source) (complaints []string) {
	starts, checked := map[string]*source{}, map[string]bool{}
	for _, s := range files {
		s.selectors(func(sel *ast.SelectorExpr, pkg string) {
			if s.test && pkg == "go.uber.org/goleak" && sel.Sel.Name == "VerifyTestMain" {
				checked[s.folder] = true
			}
			if !s.test && pkg == protoactor+"/actor" && strings.HasPrefix(sel.Sel.Name, "NewActorSystem") {
				starts[s.folder] = s
			}
		})
		if !s.test {
			ast.Inspect(s.ast, func(n ast.Node) bool {
				if _, ok := n.(*ast.GoStmt); ok {
					starts[s.folder] = s
				}
				return true
			})
		}
	}
	for folder, s := range starts {
		if !checked[folder] && s.ast.Name.Name != "main" {
			complaints = append(complaints, fmt.Sprintf("%s starts goroutines; its package needs a TestMain with goleak.VerifyTestMain", s.path))
		}
	}
	return complaints
}

// TestRules reads the numbered rules of docs/protocol.md and wants each tagged
// where it is implemented and where it is tested, and no tag without a rule.
func TestRules(t *testing.T) {
	page, err := os.ReadFile("docs/protocol.md")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("docs/protocol.md is not written yet")
	}
	if err != nil {
		t.Fatal(err)
	}
	rules := protocolRules(string(page))
	if len(rules) == 0 {
		t.Fatal("docs/protocol.md has no rule: a rule is a list item that begins with its number, - **N1**")
	}
	code, tests := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		if s.folder == "." {
			continue // the checks' own examples
		}
		for _, tag := range s.tags() {
			if s.test {
				tests[tag] = true
			} else if code[tag] = true; !slices.Contains(rules, tag) {
				t.Errorf("%s is tagged [%s], which is no rule of docs/protocol.md", s.path, tag)
			}
		}
	}
	scenarios, err := moduleFiles(true, ".txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range scenarios {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range tagsIn(string(text)) {
			tests[tag] = true
		}
	}
	for _, rule := range rules {
		if !code[rule] {
			t.Errorf("rule %s has no code: tag what implements it with [%s]", rule, rule)
		}
		if !tests[rule] {
			t.Errorf("rule %s has no test: tag one with [%s], or name it Test%s_…", rule, rule, rule)
		}
	}
}

var (
	ruleItem  = regexp.MustCompile(`(?m)^\s*[-*] \*\*([A-Z]\d+)\b`)
	bracketed = regexp.MustCompile(`\[[^\[\]\n]*\]`)
	ruleTag   = regexp.MustCompile(`\b[A-Z]\d+\b`)
	ruleTest  = regexp.MustCompile(`^(?:Test|Fuzz)([A-Z]\d+)_`)
)

// protocolRules lists the rules of a page, in its order.
func protocolRules(page string) (rules []string) {
	for _, m := range ruleItem.FindAllStringSubmatch(page, -1) {
		rules = append(rules, m[1])
	}
	return rules
}

// tagsIn finds the rules named in brackets: [V4, PBFT99 §4.5.2] names V4.
func tagsIn(text string) (tags []string) {
	for _, b := range bracketed.FindAllString(text, -1) {
		tags = append(tags, ruleTag.FindAllString(b, -1)...)
	}
	return tags
}

// tags gives the rules named in the file's comments and in its tests' names.
func (s *source) tags() (tags []string) {
	for _, group := range s.ast.Comments {
		tags = append(tags, tagsIn(group.Text())...)
	}
	for _, decl := range s.ast.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && s.test {
			if m := ruleTest.FindStringSubmatch(f.Name.Name); m != nil {
				tags = append(tags, m[1])
			}
		}
	}
	return tags
}
