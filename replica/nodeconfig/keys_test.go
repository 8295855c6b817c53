package nodeconfig

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func sorted(names []string) string { return strings.Join(slices.Sorted(slices.Values(names)), "\n") }

// TestEveryFieldHasItsKey: no field without a key, no field with two, and the
// key is the field's name as TOML files have it.
func TestEveryFieldHasItsKey(t *testing.T) {
	var cfg Config
	byField := make(map[any]string) // pointer to field → section.key
	for _, s := range sections {
		for _, k := range s.keys {
			p := k.field(&cfg)
			if other, taken := byField[p]; taken {
				t.Errorf("%s.%s sets the field of %s", s.name, k.name, other)
			}
			byField[p] = s.name + "." + k.name
		}
	}
	v := reflect.ValueOf(&cfg).Elem()
	for i := range v.NumField() {
		table := v.Type().Field(i)
		if !table.IsExported() {
			continue
		}
		for j := range v.Field(i).NumField() {
			field := table.Type.Field(j)
			key, ok := byField[v.Field(i).Field(j).Addr().Interface()]
			if !ok {
				t.Errorf("%s.%s has no key", table.Name, field.Name)
				continue
			}
			squeezed := strings.TrimSuffix(strings.ReplaceAll(key, "_", ""), "ms")
			if want := strings.ToLower(table.Name + "." + field.Name); squeezed != want {
				t.Errorf("%s.%s is set by %s", table.Name, field.Name, key)
			}
		}
	}
}

// TestFieldDocsStateTheDefault: the documentation of the fields is written by
// hand and must not tell of other defaults than Default.
func TestFieldDocsStateTheDefault(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	docs := make(map[string]string)
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			for _, f := range spec.Type.(*ast.StructType).Fields.List {
				for _, name := range f.Names {
					docs[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
				}
			}
		}
		return true
	})
	v := reflect.ValueOf(Default()).Elem()
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		for j := range v.Field(i).NumField() {
			name := v.Type().Field(i).Name + "." + v.Field(i).Type().Field(j).Name
			value := v.Field(i).Field(j).Addr().Interface()
			want := []string{"Default " + renderField(value), "efault and only value " + renderField(value)}
			switch name {
			case "Network.Peers":
				want = []string{"No default"}
			case "Storage.SegmentBytes":
				want = []string{"Default 64 MiB"}
			case "API.MaxBodyBytes":
				want = []string{"Default 1 MiB"}
			}
			if !slices.ContainsFunc(want, func(w string) bool { return strings.Contains(docs[name], w) }) {
				t.Errorf("%s has the doc %q, without %q", name, docs[name], want[0])
			}
		}
	}
}
