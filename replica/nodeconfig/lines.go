package nodeconfig

import (
	"bytes"
	"errors"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// keyLines gives the line, from 1, on which every table and every key in one
// is defined, by keyPath: as [table] and key, as table.key or within an inline
// table. Of a table that is opened more than once it is the first line.
func keyLines(data []byte) (map[string]int, error) {
	lines := make(map[string]int)
	var p unstable.Parser
	p.Reset(data)
	var table []string
	for p.NextExpression() {
		switch node := p.Expression(); node.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = noteKey(lines, data, nil, node)
		case unstable.KeyValue:
			noteKeyValue(lines, data, table, node)
		}
	}
	return lines, p.Error()
}

// keyDepth is the number of parts of a key in a node.toml: table and name.
const keyDepth = 2

func noteKeyValue(lines map[string]int, data []byte, table []string, node *unstable.Node) {
	parts := noteKey(lines, data, table, node)
	if len(parts) >= keyDepth || node.Value().Kind != unstable.InlineTable {
		return
	}
	for it := node.Value().Children(); it.Next(); {
		if child := it.Node(); child.Kind == unstable.KeyValue {
			noteKeyValue(lines, data, parts, child)
		}
	}
}

// noteKey notes the line of a node's key below table, and of all that encloses
// it. It returns the parts of the whole key.
func noteKey(lines map[string]int, data []byte, table []string, node *unstable.Node) []string {
	parts := table[:len(table):len(table)]
	for it := node.Key(); it.Next(); {
		parts = append(parts, string(it.Node().Data))
		if len(parts) > keyDepth {
			break
		}
		path := keyPath(parts...)
		if _, noted := lines[path]; !noted {
			lines[path] = 1 + bytes.Count(data[:it.Node().Raw.Offset], []byte("\n"))
		}
	}
	return parts
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// keyPath joins the parts of a key as TOML writes it, so that a part with a dot
// or a control character in it stays one part.
func keyPath(parts ...string) string {
	written := make([]string, len(parts))
	for i, part := range parts {
		if bareKey.MatchString(part) {
			written[i] = part
		} else {
			written[i] = quote(part)
		}
	}
	return strings.Join(written, ".")
}

// syntaxComplaint is the complaint about what is not TOML at all. There is only
// one, for the parser cannot go on.
func syntaxComplaint(err error, path string) error {
	c := &Complaint{Path: path, Problem: "not valid TOML: " + strings.TrimPrefix(err.Error(), "toml: ")}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		c.Line, _ = decode.Position()
	}
	return c
}
