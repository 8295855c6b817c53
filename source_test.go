package consensus_test

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// modulePath is the prefix of our own import paths.
const modulePath = "github.com/cretoai/consensus"

// source is one parsed Go file of the module. Build tags are not looked at:
// what is forbidden is forbidden on every system.
type source struct {
	path   string // slash-separated, from the module's root
	folder string // "." for the root
	test   bool   // ends in _test.go
	lines  int
	fset   *token.FileSet
	ast    *ast.File
}

// parseSource parses one file; the checks' own tests use it too.
func parseSource(name string, text []byte) (*source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &source{
		path:   name,
		folder: path.Dir(name),
		test:   strings.HasSuffix(name, "_test.go"),
		lines:  bytes.Count(text, []byte("\n")),
		fset:   fset,
		ast:    file,
	}, nil
}

// moduleFiles lists the files of the module that end in one of the endings:
// not those of nested modules, nor those of folders the go command skips,
// unless testdata is asked for.
func moduleFiles(testdata bool, endings ...string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			if name == "." {
				return nil
			}
			if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" && !testdata {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
				return filepath.SkipDir
			}
			return nil
		}
		if slices.Contains(endings, filepath.Ext(base)) {
			files = append(files, filepath.ToSlash(name))
		}
		return nil
	})
	return files, err
}

// loadSources parses the module once for all tests.
var loadSources = sync.OnceValues(func() ([]*source, error) {
	names, err := moduleFiles(false, ".go")
	if err != nil {
		return nil, err
	}
	var sources []*source
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s, err := parseSource(name, text)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	return sources, nil
})

func sources(t *testing.T) []*source {
	t.Helper()
	s, err := loadSources()
	if err != nil {
		t.Fatal(err)
	}
	if len(s) < 20 {
		t.Fatalf("only %d Go files were found: run this test in the module's root", len(s))
	}
	return s
}

// at prefixes a complaint with a place.
func (s *source) at(node ast.Node, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.path, s.fset.Position(node.Pos()).Line, fmt.Sprintf(format, args...))
}

// imports gives the file's import paths.
func (s *source) imports() []string {
	var paths []string
	for _, spec := range s.ast.Imports {
		paths = append(paths, importPath(spec))
	}
	return paths
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic("an import path is not a string literal: " + spec.Path.Value) // the parser has checked it
	}
	return p
}

// importOf gives the import path an identifier stands for in this file, or ""
// if it names no import. Without a name of its own, a package is taken to be
// called by the last element of its path, a version left out.
func (s *source) importOf(name string) string {
	for _, spec := range s.ast.Imports {
		p := importPath(spec)
		local := path.Base(p)
		if spec.Name != nil {
			local = spec.Name.Name
		} else if len(local) > 1 && local[0] == 'v' && strings.Trim(local[1:], "0123456789") == "" {
			local = path.Base(path.Dir(p))
		}
		if local == name {
			return p
		}
	}
	return ""
}

// selectors visits every x.Sel; pkg is the import path if x names an import of
// this file, otherwise "".
func (s *source) selectors(visit func(sel *ast.SelectorExpr, pkg string)) {
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			pkg := ""
			if x, ok := sel.X.(*ast.Ident); ok {
				pkg = s.importOf(x.Name)
			}
			visit(sel, pkg)
		}
		return true
	})
}

// report fails the test with every complaint, sorted.
func report(t *testing.T, complaints []string) {
	t.Helper()
	slices.SortFunc(complaints, cmp.Compare[string])
	for _, c := range slices.Compact(complaints) {
		t.Error(c)
	}
}
