package nodeconfig

import (
	"fmt"
	"strings"
)

// unknown complains about a key, or a table if section is empty, that is not
// one of known.
func (c *Config) unknown(section, name string, known []string) *Complaint {
	var path, what string
	if section == "" {
		path, what = keyPath(name), "unknown table"
	} else {
		path, what = keyPath(section, name), "unknown key"
	}
	problem := what
	if place := sectionOf(name); place != "" && place != section {
		problem += fmt.Sprintf(", %s belongs into [%s]", name, place)
	} else if near := nearest(name, known); near != "" {
		problem += fmt.Sprintf(", did you mean %s?", near)
	}
	return c.origin.complain(path, strings.Join(known, ", "), "%s", problem)
}

// sectionOf is the first section that has a key of that name, or "".
func sectionOf(name string) string {
	for _, s := range sections {
		for _, k := range s.keys {
			if k.name == name {
				return s.name
			}
		}
	}
	return ""
}

// nearest is the known name that is at most a third of its length of edits away,
// the closest one, or "".
func nearest(name string, known []string) string {
	best, bestDistance := "", len(name)
	for _, k := range known {
		if d := editDistance(name, k); d < bestDistance && d <= len(k)/3 {
			best, bestDistance = k, d
		}
	}
	return best
}

// editDistance counts the bytes to insert, delete or replace to make b of a.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
