package nodeconfig

import (
	"fmt"
	"strings"
)

// Complaint is one thing that is wrong with a configuration. The errors of
// Load, Validate and CheckAgainst are joined Complaints; Complaints lists them.
type Complaint struct {
	// Path and Line say where it stands. Path is empty for a Config made in Go;
	// Line is 0 for a key the file does not mention.
	Path string
	Line int
	// Key is the key with its table, "consensus.algorithm", or empty for what
	// concerns the file as a whole.
	Key string
	// Problem says what is wrong, and Allowed, if not empty, what may stand there.
	Problem string
	Allowed string

	cause error // of what could not be read, else nil
}

// Unwrap gives the error of the file system or the key file that is complained
// about, if that is the problem.
func (c *Complaint) Unwrap() error { return c.cause }

// Error is "path:line: key: problem; allowed: …" without the parts that are
// empty.
func (c *Complaint) Error() string {
	var b strings.Builder
	if c.Path != "" {
		b.WriteString(c.Path)
		if c.Line > 0 {
			fmt.Fprintf(&b, ":%d", c.Line)
		}
		b.WriteString(": ")
	}
	if c.Key != "" {
		b.WriteString(c.Key + ": ")
	}
	b.WriteString(c.Problem)
	if c.Allowed != "" {
		b.WriteString("; allowed: " + c.Allowed)
	}
	return b.String()
}

// Complaints lists the Complaints an error of this package is made of. It is
// empty if the file could not be read at all.
func Complaints(err error) []*Complaint {
	// Asked is what err is, not what it wraps: a Complaint's own cause may be
	// joined errors.
	switch e := err.(type) { //nolint:errorlint // see above; what it wraps is visited below
	case *Complaint:
		return []*Complaint{e}
	case interface{ Unwrap() []error }:
		var all []*Complaint
		for _, joined := range e.Unwrap() {
			all = append(all, Complaints(joined)...)
		}
		return all
	case interface{ Unwrap() error }:
		return Complaints(e.Unwrap())
	}
	return nil
}

// origin is where a file says what.
type origin struct {
	path  string
	lines map[string]int // by key with table, from 1
}

func (o origin) complain(key, allowed, format string, args ...any) *Complaint {
	return &Complaint{
		Path:    o.path,
		Line:    o.lines[key],
		Key:     key,
		Problem: fmt.Sprintf(format, args...),
		Allowed: allowed,
	}
}

// blame complains about a key whose value led to an error elsewhere.
func (o origin) blame(key string, cause error) *Complaint {
	c := o.complain(key, "", "%v", cause)
	c.cause = cause
	return c
}
