package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// profiles are being written while a target is under load.
type profiles struct {
	prefix string // of the files' names; empty for none
	cpu    *os.File
}

// mutexFraction is the share of contention events that are looked at: one in so
// many, which costs little.
const mutexFraction = 10

// profilesOf is the prefix of a system's profiles: of the first round only, for
// profiles of the same code add nothing.
func (o benchOptions) profilesOf(system string, round int) string {
	if o.profile == "" || round > 0 {
		return ""
	}
	return filepath.Join(o.profile, system)
}

func startProfiles(prefix string) (*profiles, error) {
	p := &profiles{prefix: prefix}
	if prefix == "" {
		return p, nil
	}
	if err := os.MkdirAll(filepath.Dir(prefix), 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of the profiles: %w", err)
	}
	var err error
	if p.cpu, err = os.Create(prefix + "-cpu.pprof"); err != nil {
		return nil, fmt.Errorf("write a profile: %w", err)
	}
	if err := pprof.StartCPUProfile(p.cpu); err != nil {
		return nil, errors.Join(fmt.Errorf("profile the processor: %w", err), p.cpu.Close())
	}
	runtime.SetMutexProfileFraction(mutexFraction)
	return p, nil
}

func (p *profiles) stop() error {
	if p.prefix == "" {
		return nil
	}
	pprof.StopCPUProfile()
	err := errors.Join(p.cpu.Close(), p.write("mutex"))
	runtime.SetMutexProfileFraction(0)
	runtime.GC() // the heap's profile is as of the last one
	return errors.Join(err, p.write("heap"))
}

func (p *profiles) write(name string) error {
	file, err := os.Create(p.prefix + "-" + name + ".pprof")
	if err != nil {
		return fmt.Errorf("write a profile: %w", err)
	}
	return errors.Join(pprof.Lookup(name).WriteTo(file, 0), file.Close())
}
