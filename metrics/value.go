package metrics

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// similarMax is how many metrics are named in the place of one that is not there.
const similarMax = 6

// Value is the present value of one counter or gauge of a registry, with the labels
// given as names and values in turn. The prefix of this package's names may be left
// out. The error names what is similar if there is none of that name, or the labels
// there are.
func Value(registry prometheus.Gatherer, name string, labels ...string) (float64, error) {
	if len(labels)%2 != 0 {
		return 0, fmt.Errorf("labels are names and values in turn: %q", labels)
	}
	families, err := registry.Gather()
	if err != nil {
		return 0, err
	}
	at := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name || f.GetName() == namespace+name })
	if at < 0 {
		return 0, fmt.Errorf("there is no metric %s%s", name, similar(families, name))
	}
	f := families[at]
	if t := f.GetType(); t != dto.MetricType_COUNTER && t != dto.MetricType_GAUGE {
		return 0, fmt.Errorf("%s is a %s and has no one value", f.GetName(), strings.ToLower(t.String()))
	}
	var sets []string
	for _, m := range f.GetMetric() {
		if has(m, labels) {
			return m.GetCounter().GetValue() + m.GetGauge().GetValue(), nil
		}
		sets = append(sets, set(m))
	}
	return 0, fmt.Errorf("%s has not the labels %q; it has %s", f.GetName(), labels, strings.Join(sets, ", "))
}

// has reports whether these are a metric's labels.
func has(m *dto.Metric, labels []string) bool {
	if 2*len(m.GetLabel()) != len(labels) {
		return false
	}
	for _, l := range m.GetLabel() {
		found := false
		for k := 0; k < len(labels); k += 2 {
			found = found || l.GetName() == labels[k] && l.GetValue() == labels[k+1]
		}
		if !found {
			return false
		}
	}
	return true
}

// set lists a metric's labels.
func set(m *dto.Metric) string {
	if len(m.GetLabel()) == 0 {
		return "none"
	}
	parts := make([]string, len(m.GetLabel()))
	for i, l := range m.GetLabel() {
		parts[i] = l.GetName() + "=" + l.GetValue()
	}
	return strings.Join(parts, " ")
}

// similar names the metrics that have most words in common with a name.
func similar(families []*dto.MetricFamily, name string) string {
	asked := words(name)
	type candidate struct {
		name   string
		common int
	}
	var list []candidate
	for _, f := range families {
		c := candidate{name: strings.TrimPrefix(f.GetName(), namespace)}
		for _, word := range words(f.GetName()) {
			if slices.ContainsFunc(asked, func(a string) bool { return strings.HasPrefix(a, word) || strings.HasPrefix(word, a) }) {
				c.common++
			}
		}
		if c.common > 0 {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return ""
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(b.common, a.common) })
	names := make([]string, 0, similarMax)
	for _, c := range list[:min(len(list), similarMax)] {
		names = append(names, c.name)
	}
	return "; similar are " + strings.Join(names, ", ")
}

// words are the parts of a metric's name that say what it is.
func words(name string) []string {
	parts := strings.Split(strings.TrimPrefix(name, namespace), "_")
	return slices.DeleteFunc(parts, func(word string) bool { return len(word) < 3 || word == "total" })
}
