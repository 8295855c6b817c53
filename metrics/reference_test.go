package metrics

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

// families gives all metrics of ours, by their names without the prefix.
func families(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	m := New(Options{Version: "v1", Members: 4})
	exercise(m)
	list, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]*dto.MetricFamily)
	for _, f := range list {
		if name, ours := strings.CutPrefix(f.GetName(), namespace); ours {
			byName[name] = f
		}
	}
	return byName
}

// labelsOf are the values a metric has for each of its labels.
func labelsOf(f *dto.MetricFamily) map[string][]string {
	values := make(map[string][]string)
	for _, m := range f.Metric {
		for _, l := range m.Label {
			values[l.GetName()] = append(values[l.GetName()], l.GetValue())
		}
	}
	return values
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	metricRow = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (counter|gauge|histogram|summary) \\|([^|]*)\\|(.*)\\|(.*)\\|$")
	quoted    = regexp.MustCompile("`([^`]+)`")
)

// TestTheReferenceIsWhole: the page has a row for each metric, with its type and
// labels, and none for another.
func TestTheReferenceIsWhole(t *testing.T) {
	page, all := readPage(t, "reference.md"), families(t)
	told := make(map[string]bool)
	for _, row := range metricRow.FindAllStringSubmatch(page, -1) {
		name, f := row[1], all[row[1]]
		if f == nil || told[name] {
			t.Errorf("docs/reference.md tells of %s, which is no metric, or twice", name)
			continue
		}
		told[name] = true
		if kind := strings.ToLower(f.GetType().String()); kind != row[2] {
			t.Errorf("docs/reference.md calls %s a %s, it is a %s", name, row[2], kind)
		}
		var labels []string
		for _, m := range quoted.FindAllStringSubmatch(row[3], -1) {
			labels = append(labels, m[1])
		}
		if want := slices.Sorted(maps.Keys(labelsOf(f))); !slices.Equal(labels, want) {
			t.Errorf("docs/reference.md gives %s the labels %q, it has %q", name, labels, want)
		}
		if strings.TrimSpace(row[4]) == "" || strings.TrimSpace(row[5]) == "" {
			t.Errorf("docs/reference.md does not say what %s means, or when it moves", name)
		}
	}
	for name := range all {
		if !told[name] {
			t.Errorf("docs/reference.md has no row for %s", name)
		}
	}
}

// TestTheReferenceNamesLabelValues: what a limit, a lane or a phase is cannot be told
// from its name.
func TestTheReferenceNamesLabelValues(t *testing.T) {
	page := readPage(t, "reference.md")
	for _, value := range slices.Concat(limits, lanes, phases) {
		if !strings.Contains(page, "`"+value+"`") {
			t.Errorf("docs/reference.md does not name %s", value)
		}
	}
}

var (
	alerted = regexp.MustCompile(namespace + `([a-z_]+)(\{[^}]*\})?`)
	matcher = regexp.MustCompile(`([a-z]+)=~?"([^"]*)"`)
)

// TestAlertsUseWhatThereIs: a rule about a metric, or a label's value, that is not there
// never fires, and nobody notices.
func TestAlertsUseWhatThereIs(t *testing.T) {
	all, used := families(t), 0
	for line := range strings.Lines(readPage(t, "alerts.yml")) {
		if !strings.Contains(line, "expr:") {
			continue
		}
		for _, m := range alerted.FindAllStringSubmatch(line, -1) {
			used++
			f := all[m[1]]
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				name, cut := strings.CutSuffix(m[1], suffix)
				if h := all[name]; cut && h.GetType() == dto.MetricType_HISTOGRAM {
					f = h
				}
			}
			if f == nil {
				t.Errorf("docs/alerts.yml uses %s, which is no metric", m[1])
				continue
			}
			for _, label := range matcher.FindAllStringSubmatch(m[2], -1) {
				for _, value := range strings.Split(label[2], "|") {
					if !slices.Contains(labelsOf(f)[label[1]], value) {
						t.Errorf("docs/alerts.yml asks for %s with %s=%q, which there is never", m[1], label[1], value)
					}
				}
			}
		}
	}
	if used < 10 {
		t.Errorf("%d uses of metrics were found in docs/alerts.yml", used)
	}
}
