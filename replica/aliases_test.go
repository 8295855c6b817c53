package replica

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"
)

// TestAliasesSayWhatIsInThem: the documentation of an alias shows nothing of the type
// it stands for, so its comment lists the fields, with their types.
func TestAliasesSayWhatIsInThem(t *testing.T) {
	for file, aliases := range map[string]map[string]reflect.Type{
		"statemachine.go": {"Operation": reflect.TypeFor[Operation](), "Result": reflect.TypeFor[Result]()},
		"propose.go":      {"Receipt": reflect.TypeFor[Receipt]()},
		"proof.go":        {"Found": reflect.TypeFor[Found]()},
		"evidence.go":     {"EvidenceFile": reflect.TypeFor[EvidenceFile]()},
	} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			alias, ok := aliases[g.Specs[0].(*ast.TypeSpec).Name.Name]
			if !ok {
				continue
			}
			lines := make(map[string]string) // first word to second
			for line := range strings.Lines(g.Doc.Text()) {
				if words := strings.Fields(line); len(words) > 1 && line[0] == '\t' {
					lines[words[0]] = words[1]
				}
			}
			for i := range alias.NumField() {
				f := alias.Field(i)
				want := strings.ReplaceAll(strings.ReplaceAll(f.Type.String(), "actors.", ""), "uint8", "byte")
				if lines[f.Name] != want {
					t.Errorf("%s: field %s is documented as %q, and is a %s", alias, f.Name, lines[f.Name], want)
				}
			}
			delete(aliases, g.Specs[0].(*ast.TypeSpec).Name.Name)
		}
		if len(aliases) > 0 {
			t.Errorf("%s has none of %v", file, aliases)
		}
	}
}
