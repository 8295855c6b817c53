package nodeconfig

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// setField writes a value of the file into a field. The error says what the
// value is, for the reader knows what it should be.
func setField(field, value any) error {
	switch field := field.(type) {
	case *string:
		if v, ok := value.(string); ok {
			*field = v
			return nil
		}
	case *bool:
		if v, ok := value.(bool); ok {
			*field = v
			return nil
		}
	case *int:
		if v, ok := value.(int64); ok {
			if int64(int(v)) != v {
				return fmt.Errorf("%d is out of range", v)
			}
			*field = int(v)
			return nil
		}
	case *int64:
		if v, ok := value.(int64); ok {
			*field = v
			return nil
		}
	case *time.Duration:
		if v, ok := value.(int64); ok {
			if v > math.MaxInt64/int64(time.Millisecond) || v < math.MinInt64/int64(time.Millisecond) {
				return fmt.Errorf("%d is out of range", v)
			}
			*field = time.Duration(v) * time.Millisecond
			return nil
		}
	case *float64:
		switch v := value.(type) {
		case float64:
			*field = v
			return nil
		case int64: // "1" is as good as "1.0"
			*field = float64(v)
			return nil
		}
	case *[]string:
		if v, ok := value.([]any); ok {
			list := make([]string, len(v))
			for i, element := range v {
				if list[i], ok = element.(string); !ok {
					return fmt.Errorf("element %d is %s, not a string", i, typeName(element))
				}
			}
			*field = list
			return nil
		}
	default:
		panic(fmt.Sprintf("a key with a field of type %T", field))
	}
	return fmt.Errorf("%s does not fit", typeName(value))
}

// typeName is what TOML calls the type of a decoded value.
func typeName(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64:
		return "a whole number"
	case float64:
		return "a fraction"
	case []any:
		return "an array"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}

// renderField is the field's value as it is written into the file.
func renderField(field any) string {
	switch field := field.(type) {
	case *string:
		return quote(*field)
	case *bool:
		return strconv.FormatBool(*field)
	case *int:
		return strconv.Itoa(*field)
	case *int64:
		return strconv.FormatInt(*field, 10)
	case *time.Duration:
		return strconv.FormatInt(field.Milliseconds(), 10)
	case *float64:
		return renderFloat(*field)
	case *[]string:
		if len(*field) == 0 {
			return "[]"
		}
		var b strings.Builder
		b.WriteString("[\n")
		for _, element := range *field {
			b.WriteString("  " + quote(element) + ",\n")
		}
		b.WriteString("]")
		return b.String()
	default:
		panic(fmt.Sprintf("a key with a field of type %T", field))
	}
}

// renderFloat writes a fraction as TOML has it: always with a point or an
// exponent, and infinities and NaN in lower case.
func renderFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 0):
		return strings.ToLower(strconv.FormatFloat(f, 'g', -1, 64)) // +inf, -inf
	}
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// quote writes a basic string of TOML, which knows fewer escapes than Go.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
