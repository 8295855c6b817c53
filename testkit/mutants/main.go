// Command mutants breaks the product on purpose, one rule at a time, and shows
// what notices: which test of the package, or the simulator within how many
// seeds. A mutant that survives everything is a hole in the net, and a failure.
//
//	go run ./testkit/mutants                 every mutant, by tests and by seeds
//	go run ./testkit/mutants -run quorum     those whose name matches
//	go run ./testkit/mutants -rotate 5 -at N five of them, others for another N,
//	                                         each until the first thing notices
//	go run ./testkit/mutants -sim            by the simulator alone: within how many seeds
//	go run ./testkit/mutants -explore        those of the pure packages, by exploring alone:
//	                                         within how many states
//
// A mutant is a change of one place of one file (see the tables beside this
// file), handed to the compiler as an overlay: the sources stay as they are.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// options are the flags.
type options struct {
	run    string
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
}

func main() {
	var o options
	flag.StringVar(&o.run, "run", "", "only mutants whose name matches this `regexp`")
	flag.IntVar(&o.rotate, "rotate", 0, "only so many, each until the first thing notices")
	flag.IntVar(&o.at, "at", 0, "which of them: any number, such as that of the commits")
	flag.BoolVar(&o.first, "first", false, "try each until the first thing notices")
	flag.IntVar(&o.seeds, "seeds", 200, "how many seeds a mutant may survive")
	flag.Uint64Var(&o.from, "from", 1, "the first seed")
	flag.BoolVar(&o.list, "list", false, "list the mutants and end")
	flag.BoolVar(&o.sim, "sim", false, "ask the simulator alone; those it cannot notice are left out")
	flag.BoolVar(&o.explore, "explore", false, "ask the exploration alone; those of other packages than messages, pbft and leader are left out")
	flag.DurationVar(&o.time, "time", time.Minute, "how long to explore a mutant")
	flag.StringVar(&o.world, "world", "", "explore this world alone, see replica explore")
	flag.Parse()
	o.first = o.first || o.rotate > 0
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
	survivors := 0
	for _, m := range chosen {
		if o.list {
			fmt.Printf("%-28s %s: %s\n", m.Name, m.File, m.Why)
			continue
		}
		begin := time.Now()
		f, err := judge(ctx, m, o)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // the others have their turn all the same
			fmt.Printf("%-28s CANNOT BE TRIED: %v\n", m.Name, err)
			survivors++
			continue
		}
		fmt.Printf("%-28s %s (%.0f s)\n", m.Name, f, time.Since(begin).Seconds())
		if f.survived() && !m.Equivalent && !o.explore {
			survivors++
		}
	}
	if survivors > 0 {
		return fmt.Errorf("%d of %d mutants survived or could not be tried: a test or an oracle is missing", survivors, len(chosen))
	}
	return nil
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
	all := slices.Concat(ordering, durability, viewChanges, trust, supervision, conduct, applications, transfers)
	pattern, err := regexp.Compile(o.run)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(m mutant) bool { return !pattern.MatchString(m.Name) || !o.concerns(m) })
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
