package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// What a cluster has whose Faults do not say.
const (
	checkpointIntervalDefault = 4
	pipelineDepthDefault      = 4
	maxPendingDefault         = 1000
)

// periodMin bounds how often a fault may happen: time has to go on in between.
const periodMin = time.Millisecond

// withDefaults gives the fields that are no faults their values.
func (f Faults) withDefaults() Faults {
	if f.DelayMax == 0 {
		f.DelayMax = f.DelayMin
	}
	if f.CheckpointInterval == 0 {
		f.CheckpointInterval = checkpointIntervalDefault
	}
	if f.PipelineDepth == 0 {
		f.PipelineDepth = pipelineDepthDefault
	}
	if f.MaxPending == 0 {
		f.MaxPending = maxPendingDefault
	}
	return f
}

// validate joins every complaint about faults, of n members.
func (f *Faults) validate(n int) error {
	errs := f.validateRoles(n)
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf("faults: "+format, args...)) }
	if f.DelayMin < 0 || f.DelayMax < f.DelayMin {
		complain("frames travel from %v to %v", f.DelayMin, f.DelayMax)
	}
	for _, share := range []struct {
		name string
		is   int
		max  int
	}{
		{"Loss", f.Loss, 1000}, {"Duplicate", f.Duplicate, 1000}, {"Hurry", f.Hurry, 1000}, {"TrackerPanics", f.TrackerPanics, 1000},
		{"DoubleSpends", f.DoubleSpends, 1000}, {"Skew", f.Skew, 999},
	} {
		if share.is < 0 || share.is > share.max {
			complain("%s %d: 0 to %d of 1000 are possible", share.name, share.is, share.max)
		}
	}
	for _, period := range []struct {
		name string
		is   time.Duration
	}{
		{"Partitions", f.Partitions}, {"Crashes", f.Crashes}, {"WriteFailures", f.WriteFailures}, {"Panics", f.Panics},
		{"Pauses", f.Pauses}, {"Blackouts", f.Blackouts},
	} {
		if period.is != 0 && period.is < periodMin {
			complain("%s every %v: 0 for never, or at least %v", period.name, period.is, periodMin)
		}
	}
	if f.CheckpointInterval > messages.WindowMax/2 {
		complain("CheckpointInterval %d: 1 to %d are possible", f.CheckpointInterval, messages.WindowMax/2)
	} else if window := 2 * int(f.CheckpointInterval); f.PipelineDepth < 1 || f.PipelineDepth > window {
		complain("PipelineDepth %d: 1 to two checkpoint intervals, %d, are possible", f.PipelineDepth, window)
	}
	if f.MaxPending < 1 {
		complain("MaxPending %d: at least 1 vertex has to wait somewhere", f.MaxPending)
	}
	return errors.Join(errs...)
}

// validateRoles checks who misbehaves: at most f members, none of whom has two roles.
func (f *Faults) validateRoles(n int) (errs []error) {
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf("faults: "+format, args...)) }
	if len(f.Byzantine) > messages.MaxFaulty(n) {
		complain("%d members misbehave, of %d only %d may", len(f.Byzantine), n, messages.MaxFaulty(n))
	}
	var seen []int
	for _, r := range f.Byzantine {
		if r.Member < 0 || r.Member >= n || slices.Contains(seen, r.Member) {
			complain("member %d cannot misbehave, or does already", r.Member)
		}
		seen = append(seen, r.Member)
		if r.Strength < 0 || r.Strength > 1000 {
			complain("member %d misbehaves %d‰: 0 to 1000 are possible", r.Member, r.Strength)
		}
		for _, name := range r.Behaviours {
			if _, ok := byzantine.ByName(name); !ok {
				complain("no behaviour is called %q", name)
			}
		}
	}
	return errs
}
