package workload

import (
	"reflect"
	"slices"
)

// Spread is how a figure varies over rounds.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// SpreadOf sums up a list, which is not empty.
func SpreadOf(list []float64) Spread {
	list = slices.Sorted(slices.Values(list))
	return Spread{median(list), list[0], list[len(list)-1]}
}

// median of a sorted list.
func median(list []float64) float64 {
	middle := len(list) / 2
	if len(list)%2 == 1 {
		return list[middle]
	}
	return (list[middle-1] + list[middle]) / 2
}

// Median has in each field the median of that field in the results, of which
// there is at least one.
func Median(results []*Result) *Result {
	out := new(Result)
	values := make([]reflect.Value, len(results))
	for i, r := range results {
		values[i] = reflect.ValueOf(r).Elem()
	}
	medians(reflect.ValueOf(out).Elem(), values)
	return out
}

// medians fills a struct of numbers, and of such structs.
func medians(out reflect.Value, values []reflect.Value) {
	switch out.Kind() {
	case reflect.Slice: // a series is of one run
		return
	case reflect.Struct:
		for f := range out.NumField() {
			fields := make([]reflect.Value, len(values))
			for i, v := range values {
				fields[i] = v.Field(f)
			}
			medians(out.Field(f), fields)
		}
		return
	}
	list := make([]float64, len(values))
	for i, v := range values {
		if v.CanInt() {
			list[i] = float64(v.Int())
		} else {
			list[i] = v.Float()
		}
	}
	m := SpreadOf(list).Median
	if out.CanInt() {
		out.SetInt(int64(m))
	} else {
		out.SetFloat(m)
	}
}
