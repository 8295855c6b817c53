// Command kill runs four replicas as processes of their own under load, kills
// one after the other with SIGKILL at random, the leader included, each as soon
// as the last victim is ready again, and then reads all that is left:
//
//	go run ./testkit/kill               twenty kills
//	go run ./testkit/kill -kills 200    more of them
//
// Every vertex that was acknowledged must be in every ledger where its receipt
// says, none may have been executed twice, all ledgers must be equal, and no
// member may have signed two digests in one place, by what any journal holds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/cretoai/consensus/messages"
)

type options struct {
	kills  int
	seed   uint64
	binary string // of the command, "" to build it
	dir    string // where the replicas' folders go, "" for a temporary one
	out    io.Writer
}

func main() {
	o := options{out: os.Stdout}
	flag.IntVar(&o.kills, "kills", 20, "how many kills")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of whom is killed, and when")
	flag.StringVar(&o.binary, "replica", "", "the replica command to run, instead of building it")
	flag.StringVar(&o.dir, "dir", "", "the folder to work in, kept; a temporary one by default")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "kill:", err)
		os.Exit(1)
	}
}

// run kills, and judges what is left.
func run(ctx context.Context, o options) (err error) {
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "kill-"); err != nil {
			return err
		}
		defer func() {
			if err == nil {
				err = os.RemoveAll(o.dir)
			} else {
				err = fmt.Errorf("%w; the folders are kept in %s", err, o.dir)
			}
		}()
	}
	if o.binary == "" {
		o.binary = filepath.Join(o.dir, "replica")
		build := exec.CommandContext(ctx, "go", "build", "-o", o.binary, "github.com/cretoai/consensus/cmd/replica")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build the replica: %w\n%s", err, out)
		}
	}
	c, err := newCluster(ctx, o)
	if err != nil {
		return err
	}
	defer c.killAll()
	l := newLoad(c)
	if err := errors.Join(rampage(ctx, o, c, l), l.stop()); err != nil {
		return err
	}
	head, err := c.settle(ctx)
	if err != nil {
		return err
	}
	if err := c.stopAll(); err != nil { // what was executed last reaches the disk
		return err
	}
	return judge(o, c, l, head)
}

// rampage starts the replicas and kills them one after the other, under load.
func rampage(ctx context.Context, o options, c *cluster, l *load) error {
	for i := range c.members {
		if err := c.start(ctx, i); err != nil {
			return err
		}
	}
	for i := range c.members {
		if err := c.awaitReady(ctx, i); err != nil {
			return err
		}
	}
	l.start(ctx)
	rng := rand.New(rand.NewPCG(o.seed, 0))
	fmt.Fprintf(o.out, "seed %d\n", o.seed)
	for kill := range o.kills {
		// A little work between a kill and the next one, and a random moment in it.
		if err := l.await(ctx, l.acknowledged()+uint64(1+rng.IntN(60))); err != nil {
			return fmt.Errorf("after kill %d: %w", kill, err)
		}
		victim, err := c.victim(ctx, rng)
		if err != nil {
			return err
		}
		begin := time.Now()
		before := l.acknowledged()
		c.kill(victim)
		if err := c.start(ctx, victim); err != nil {
			return err
		}
		if err := c.awaitReady(ctx, victim); err != nil {
			return err
		}
		fmt.Fprintf(o.out, "kill %3d: replica %d, ready again after %v, %d vertices final meanwhile\n",
			kill+1, victim, time.Since(begin).Round(time.Millisecond), l.acknowledged()-before)
	}
	return l.await(ctx, l.acknowledged()+50) // throughput resumes
}

// judge reads ledgers and journals.
func judge(o options, c *cluster, l *load, head standing) error {
	a := newAudit(c.genesis)
	for i := range c.members {
		if err := a.ledger(c.members[i].data, messages.Index(i), head); err != nil {
			return fmt.Errorf("replica %d: %w", i, err)
		}
		if err := a.journal(c.members[i].data, messages.Index(i)); err != nil {
			return fmt.Errorf("replica %d: %w", i, err)
		}
	}
	if err := a.receipts(l.receipts); err != nil {
		return err
	}
	fmt.Fprintf(o.out, "%d kills, %d vertices acknowledged, %d sequences, %d votes compared: nothing lost, nothing twice\n",
		o.kills, len(l.receipts), head.Sequence, len(a.votes))
	return nil
}
