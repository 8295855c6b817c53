package consensus_test

import (
	"slices"
	"strings"
	"testing"
)

// TestTidyChecksFind is to tidy_test.go what TestChecksFind is to
// deps_test.go.
func TestTidyChecksFind(t *testing.T) {
	for _, c := range []struct {
		check func([]*source) []string
		path  string
		text  string
		want  string // part of the one complaint; "" if there must be none
	}{
		{checkLength, "p/x.go", "package p\n" + strings.Repeat("\n", linesMax), "second noun"},
		{checkLength, "p/x.go", "package p\n" + strings.Repeat("\n", linesMax-1), ""},

		{checkPackageComments, "p/x.go", "package p\n", "no comment"},
		{checkPackageComments, "p/x.go", "// About p.\npackage p\n", "begins with"},
		{checkPackageComments, "p/x.go", "// Package p is.\npackage p\n", ""},
		{checkPackageComments, "p/x.go", "// Command p is.\npackage main\n", ""},
		{checkPackageComments, "p/x_test.go", "package p\n", ""},

		{checkTodo, "p/x.go", "package p\n// TODO do it\n", "bare TODO"},
		{checkTodo, "p/x.go", "package p\nvar x = 1 // FIXME\n", "bare FIXME"},
		{checkTodo, "p/x.go", "package p\n// TODO(#12): do it\n", ""},

		{checkDecoding, "messages/x.go", "package messages\nvar x any\n", "any:"},
		{checkDecoding, "messages/x.go", "package messages\nvar x []interface{}\n", "interface{}:"},
		{checkDecoding, "messages/x.go", "package messages\ntype m interface{ f() }\nfunc g[T any](x T, args ...any) {}\n", ""},
		{checkDecoding, "messages/x.go", "package messages\nimport \"sync\"\nvar p = sync.Pool{New: func() any { return nil }}\n", ""},
		{checkDecoding, "messages/x.go", "package messages\nimport \"" + msgpack + "\"\nvar x = msgpack.Unmarshal\n", "reflection"},
		{checkDecoding, "messages/x.go", "package messages\nimport \"" + msgpack + "\"\nfunc f(d *msgpack.Decoder) { d.Skip() }\n", "trusts the bytes"},
		{checkDecoding, "messages/x.go", "package messages\nimport \"" + msgpack + "\"\nfunc f(d *msgpack.Decoder) { d.DecodeUint64() }\n", ""},
		{checkDecoding, "messages/x.go", "package messages\nimport \"encoding/hex\"\nvar x = hex.Decode\n", ""},
		{checkDecoding, "actors/x.go", "package actors\nvar x any\n", ""},

		{checkMetricNames, "actors/x.go", "package actors\nconst c = \"cretoai_consensus_x\"\n", "only package metrics"},
		{checkMetricNames, "metrics/x.go", "package metrics\nconst c = \"cretoai_consensus_x\"\n", ""},

		{checkErrorKinds, "p/x.go", "package p\ntype E struct{}\nfunc (E) Error() string { return \"\" }\n", "as a value"},
		{checkErrorKinds, "p/x.go", "package p\ntype E struct{}\nfunc (*E) Error() string { return \"\" }\n", ""},
		{checkErrorKinds, "p/x.go", "package p\ntype E uint8\nfunc (E) Error() string { return \"\" }\n", ""},

		{checkLeakTests, "p/x.go", "package p\nfunc f() { go f() }\n", "goleak"},
		{checkLeakTests, "p/x.go", "package p\nimport \"" + protoactor + "/actor\"\nvar s = actor.NewActorSystem()\n", "goleak"},
		{checkLeakTests, "p/x_test.go", "package p\nfunc f() { go f() }\n", ""},
	} {
		s, err := parseSource(c.path, []byte(c.text))
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

func TestRulesAreRead(t *testing.T) {
	page := "# Rules\n- **N1** first\n- **V12**: second, see **C3**\n  - **Q2** nested\n- N9 is none\n"
	if got, want := protocolRules(page), []string{"N1", "V12", "Q2"}; !slices.Equal(got, want) {
		t.Errorf("rules %v, want %v", got, want)
	}
	s, err := parseSource("p/x_test.go", []byte("package p\n\n// f joins. [V4, PBFT99 §4.5.2] [protocol Q1]\n// See V9 and x[0].\nfunc TestN3_Once() {}\n\nfunc TestN10() {}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.tags(), []string{"V4", "Q1", "N3"}; !slices.Equal(got, want) {
		t.Errorf("tags %v, want %v", got, want)
	}
}
