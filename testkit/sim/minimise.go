package sim

import (
	"context"
	"errors"
)

// Minimise looks for the least that still goes wrong: it leaves out one kind of
// faults after the other, and vertices, as long as the same property is
// violated. It gives the smaller configuration with its result; both are those
// given if nothing can be left out.
func Minimise(ctx context.Context, cfg Config, failed *Result) (Config, *Result, error) {
	cfg.Trace = nil
	try := func(smaller Config) error {
		r, err := Run(ctx, smaller)
		if err == nil && sameProperty(r.Err, failed.Err) {
			cfg, failed = smaller, r
		}
		return err
	}
	for _, k := range kinds {
		if k.level(&failed.Faults) == "" {
			continue
		}
		smaller := cfg
		smaller.Without = append(append([]string(nil), cfg.Without...), k.name)
		if err := try(smaller); err != nil {
			return cfg, failed, err
		}
	}
	for vertices := failed.Vertices / 2; vertices > 0 && vertices < failed.Vertices; vertices /= 2 {
		smaller := cfg
		smaller.Vertices = vertices
		if err := try(smaller); err != nil {
			return cfg, failed, err
		}
	}
	return cfg, failed, nil
}

func sameProperty(a, b error) bool {
	var one, other *Violation
	return errors.As(a, &one) && errors.As(b, &other) && one.Property == other.Property
}
