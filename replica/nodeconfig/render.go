package nodeconfig

import (
	"bytes"
	"fmt"
	"strings"
)

// Render writes cfg as a node.toml with every key, each with a comment that says
// what it does, what may stand there and what the default is. Load reads it
// back to the same values, paths apart, which it resolves.
func Render(cfg *Config) []byte {
	var b bytes.Buffer
	b.WriteString("# The configuration of one replica.\n")
	fmt.Fprintf(&b, "# Keys left out have the default; there are no other keys.\n")
	defaults := Default()
	for _, s := range sections {
		b.WriteString("\n")
		writeComment(&b, s.doc)
		fmt.Fprintf(&b, "[%s]\n", s.name)
		for _, k := range s.keys {
			b.WriteString("\n")
			writeComment(&b, k.doc)
			writeComment(&b, "Allowed: "+k.allowed+".")
			writeComment(&b, "Default: "+k.defaultText(defaults))
			fmt.Fprintf(&b, "%s = %s\n", k.name, renderField(k.field(cfg)))
		}
	}
	return b.Bytes()
}

func (k key) defaultText(defaults *Config) string {
	if k.required {
		return "none, this key is required."
	}
	return renderField(k.field(defaults))
}

func writeComment(b *bytes.Buffer, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString("# " + line + "\n")
	}
}
