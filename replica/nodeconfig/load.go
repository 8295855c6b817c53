package nodeconfig

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/pelletier/go-toml/v2"
)

// configBytesMax bounds the size of a node.toml that is read at all.
const configBytesMax = 1 << 20

// Load reads and validates a node.toml. Keys the file lacks get their default;
// relative paths become relative to the file's folder. The error is the joined
// Complaints about the file, or says why it cannot be read.
func Load(path string) (*Config, error) {
	data, err := readFile(path, configBytesMax)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return parse(data, path)
}

// parse is Load without the disk.
func parse(data []byte, path string) (*Config, error) {
	var document map[string]any
	if err := toml.Unmarshal(data, &document); err != nil {
		return nil, syntaxComplaint(err, path)
	}
	lines, err := keyLines(data)
	if err != nil {
		return nil, syntaxComplaint(err, path)
	}
	cfg := Default()
	cfg.origin = origin{path: path, lines: lines}

	complaints := cfg.setAll(document)
	for _, c := range cfg.complaints() {
		// A value that could not be set is not judged a second time.
		if !slices.ContainsFunc(complaints, func(d *Complaint) bool { return d.Key == c.Key }) {
			complaints = append(complaints, c)
		}
	}
	if len(complaints) > 0 {
		return nil, join(complaints)
	}
	cfg.resolve(filepath.Dir(path))
	return cfg, nil
}

// setAll writes the document's values into the fields and complains about what
// is not a key, or not of the key's type.
func (c *Config) setAll(document map[string]any) []*Complaint {
	var complaints []*Complaint
	for name, value := range document {
		i := slices.IndexFunc(sections, func(s section) bool { return s.name == name })
		if i < 0 {
			complaints = append(complaints, c.unknown("", name, sectionNames()))
			continue
		}
		table, ok := value.(map[string]any)
		if !ok {
			complaints = append(complaints, c.origin.complain(name, "["+name+"] with keys below it",
				"%s, not a table", typeName(value)))
			continue
		}
		complaints = append(complaints, c.setSection(&sections[i], table)...)
	}
	return complaints
}

func (c *Config) setSection(s *section, table map[string]any) []*Complaint {
	var complaints []*Complaint
	for name, value := range table {
		i := slices.IndexFunc(s.keys, func(k key) bool { return k.name == name })
		if i < 0 {
			complaints = append(complaints, c.unknown(s.name, name, s.keyNames()))
			continue
		}
		k := &s.keys[i]
		if err := setField(k.field(c), value); err != nil {
			complaints = append(complaints, c.origin.complain(keyPath(s.name, name), k.allowed, "%v", err))
		}
	}
	return complaints
}

// resolve makes relative paths relative to folder.
func (c *Config) resolve(folder string) {
	for _, s := range sections {
		for _, k := range s.keys {
			if path, ok := k.field(c).(*string); ok && k.relative && !filepath.IsAbs(*path) {
				*path = filepath.Join(folder, *path)
			}
		}
	}
}

// join sorts complaints as the file goes; keys it does not mention come last.
func join(complaints []*Complaint) error {
	slices.SortStableFunc(complaints, func(a, b *Complaint) int {
		if (a.Line == 0) != (b.Line == 0) {
			return cmp.Compare(b.Line, a.Line)
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key))
	})
	errs := make([]error, len(complaints))
	for i, c := range complaints {
		errs[i] = c
	}
	return errors.Join(errs...)
}
