// Command mutants breaks the product on purpose, one rule at a time, and shows
// what notices: which test of the package, or the simulator within how many
// seeds. A mutant that survives everything is a hole in the net, and a failure.
//
//	go run ./testkit/mutants                 every mutant, by tests and by seeds
//	go run ./testkit/mutants -run quorum     those whose name matches
//	go run ./testkit/mutants -rotate 5 -at N five of them, others for another N,
//	                                         each until the first thing notices
//	go run ./testkit/mutants -only a,b       these
//	go run ./testkit/mutants -sim            by the simulator alone: within how many seeds
//	go run ./testkit/mutants -sim -results mutants.json
//	                                         the same, kept in a file: a second run
//	                                         goes on where the first was stopped
//	go run ./testkit/mutants -explore        those of the pure packages, by exploring alone:
//	                                         within how many states
//
// A mutant is a change of one place of one file (see the tables beside this
// file), handed to the compiler as an overlay: the sources stay as they are.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	run    string
	only   string
	rotate int
	at     int
	first  bool
	seeds  int
	from   uint64
	list   bool
	// sim and explore ask the simulator or the exploration alone.
	sim, explore bool
	time         time.Duration
	world        string
	results      string
	narration    io.Writer
}

// exploring and simulating are how long a mutant is explored or simulated.
func (o options) exploring() time.Duration  { return cmp.Or(o.time, time.Minute) }
func (o options) simulating() time.Duration { return cmp.Or(o.time, 10*time.Minute) }

// asked says who is: tests and seeds, or one thing alone.
func (o options) asked() string {
	switch {
	case o.sim:
		return "seeds"
	case o.explore:
		return "states"
	}
	return "tests and seeds"
}

// narrate says how far a mutant's trial is.
func (o options) narrate(format string, args ...any) {
	if o.narration != nil {
		fmt.Fprintf(o.narration, format+"\n", args...)
	}
}

func main() {
	var o options
	flag.StringVar(&o.run, "run", "", "only mutants whose name matches this `regexp`")
	flag.StringVar(&o.only, "only", "", "only the mutants of these `names`, with commas between them")
	flag.IntVar(&o.rotate, "rotate", 0, "only so many, each until the first thing notices")
	flag.IntVar(&o.at, "at", 0, "which of them: any number, such as that of the commits")
	flag.BoolVar(&o.first, "first", false, "try each until the first thing notices")
	flag.IntVar(&o.seeds, "seeds", 200, "how many seeds a mutant may survive")
	flag.Uint64Var(&o.from, "from", 1, "the first seed")
	flag.BoolVar(&o.list, "list", false, "list the mutants and end")
	flag.BoolVar(&o.sim, "sim", false, "ask the simulator alone; those it cannot notice are left out")
	flag.BoolVar(&o.explore, "explore", false, "ask the exploration alone; those of other packages than messages, pbft and leader are left out")
	flag.DurationVar(&o.time, "time", 0, "how long to explore (1m) or simulate (10m) a mutant")
	flag.StringVar(&o.results, "results", "", "keep what is found in this `file`; what it holds already is not tried again")
	flag.StringVar(&o.world, "world", "", "explore this world alone, see replica explore")
	flag.Parse()
	o.first = o.first || o.rotate > 0
	o.narration = os.Stderr
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	chosen, err := choose(o)
	if err != nil {
		return err
	}
	if o.list {
		for _, m := range chosen {
			fmt.Printf("%-28s %s: %s\n", m.Name, m.File, m.Why)
		}
		return nil
	}
	found, err := readResults(o.results)
	if err != nil {
		return err
	}
	survivors := 0
	for i, m := range chosen {
		if !o.concerns(m) {
			continue
		}
		o.narrate("%d of %d: %s", i+1, len(chosen), m.Name)
		killed, err := try(ctx, m, o, found)
		if err != nil {
			return err
		}
		if !killed && !m.Equivalent && !o.explore {
			survivors++
		}
	}
	if o.sim || o.results != "" {
		found.write(os.Stdout, chosen)
	}
	if survivors > 0 {
		return fmt.Errorf("%d of %d mutants survived or could not be tried: a test or an oracle is missing", survivors, len(chosen))
	}
	return nil
}

// try says what becomes of a mutant, if that is not known yet. One that cannot be
// tried counts as one that survives: the others have their turn all the same.
func try(ctx context.Context, m mutant, o options, found *results) (killed bool, err error) {
	if old, ok := found.known(m, o); ok {
		return old.Killed, nil
	}
	begin := time.Now()
	f, err := judge(ctx, m, o)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	seconds := time.Since(begin).Seconds()
	if err != nil {
		fmt.Printf("%-28s CANNOT BE TRIED: %v\n", m.Name, err)
	} else {
		fmt.Printf("%-28s %s (%.0f s)\n", m.Name, f, seconds)
	}
	one := newResult(m, o, f, seconds, err)
	return one.Killed, found.add(one)
}

// concerns reports whether what is asked can notice a mutant at all.
func (o options) concerns(m mutant) bool {
	switch folder := filepath.Dir(m.File); {
	case o.explore:
		return m.Replicas == 0 && (folder == "pbft" || folder == "leader" || folder == "messages") && !m.Equivalent
	case o.sim:
		return m.TestsOnly == ""
	}
	return true
}

// choose gives the mutants asked for.
func choose(o options) ([]mutant, error) {
	all := slices.Concat(ordering, durability, viewChanges, trust, supervision, conduct, applications, transfers, optimism)
	pattern, err := regexp.Compile(o.run)
	if err != nil {
		return nil, err
	}
	names := strings.FieldsFunc(o.only, func(r rune) bool { return r == ',' })
	for _, name := range names {
		if !slices.ContainsFunc(all, func(m mutant) bool { return m.Name == name }) {
			return nil, fmt.Errorf("no mutant is called %q", name)
		}
	}
	all = slices.DeleteFunc(all, func(m mutant) bool {
		return !pattern.MatchString(m.Name) || len(names) > 0 && !slices.Contains(names, m.Name) ||
			(o.explore || o.rotate > 0) && !o.concerns(m)
	})
	if len(all) == 0 {
		return nil, errors.New("no mutant has such a name")
	}
	if o.rotate == 0 || o.rotate >= len(all) {
		return all, nil
	}
	var chosen []mutant
	for i := range o.rotate {
		chosen = append(chosen, all[(o.at*o.rotate+i)%len(all)])
	}
	return chosen, nil
}
