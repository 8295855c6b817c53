package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// run is one measurement.
type run struct {
	o      Options
	target Target
	group  int
	record *recorder
	slab   []byte // random bytes; payloads are windows of it
	over   atomic.Bool
	ending chan struct{} // closed when over
}

// Run puts the load on the target and measures it. The error is the target's, or
// says what is missing at the end.
func Run(ctx context.Context, target Target, o Options) (*Result, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.LeaderOnly && target.Leader() < 0 {
		return nil, errors.New("nobody is known to lead, so nothing can be submitted at the leader")
	}
	r := &run{
		o: o, target: target, group: o.GroupOf(target.Doors()), record: newRecorder(o.Vertices),
		slab: newSlab(o.Payload), ending: make(chan struct{}),
	}
	r.record.parts = o.Series > 0
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	result := make(chan error, 1)
	go func() { result <- r.submitAll(ctx, cancel) }()
	spent, series, err := r.measure(ctx)
	r.stop()
	if waiting := r.await(ctx, cancel, result); err == nil || errors.Is(err, errSubmitting) {
		err = waiting
	}
	if err != nil {
		return nil, err
	}
	if o.Progress != nil {
		o.Progress(r.record.finalised())
	}
	return r.result(spent, series), nil
}

// errSubmitting ends all submitters when one has failed.
var errSubmitting = errors.New("submitting failed")

// measure waits for the window's begin and its end, and says what the target
// spent between, and how the window went.
func (r *run) measure(ctx context.Context) (spent Counters, series []Interval, err error) {
	if err := r.sleep(ctx, r.o.Warmup, nil); err != nil {
		return Counters{}, nil, err
	}
	before, err := r.target.Count()
	if err != nil {
		return Counters{}, nil, fmt.Errorf("count what the target has spent: %w", err)
	}
	if err := r.record.anythingLeft(); err != nil {
		return Counters{}, nil, err
	}
	r.record.begin(time.Now())
	if r.o.Opened != nil {
		r.o.Opened()
	}
	if series, err = r.window(ctx); err != nil {
		return Counters{}, nil, err
	}
	after, err := r.target.Count()
	if err != nil {
		return Counters{}, nil, fmt.Errorf("count what the target has spent: %w", err)
	}
	return after.since(before), series, nil
}

// window waits for the window's end.
func (r *run) window(ctx context.Context) (series []Interval, err error) {
	if r.o.Series > 0 {
		watching, enough := context.WithCancel(ctx)
		result := make(chan []Interval, 1)
		go func() { result <- r.watch(watching) }()
		defer func() {
			enough()
			series = <-result
		}()
	}
	length := r.o.Duration
	if r.o.Vertices > 0 {
		length = 0
	}
	if err := r.sleep(ctx, length, r.record.full); err != nil {
		return nil, err
	}
	r.record.end(time.Now())
	return nil, nil
}

// progressInterval is how often Options.Progress is called.
const progressInterval = 100 * time.Millisecond

// sleep lets the time pass, for ever if it is 0 and there is something else to
// wait for, and tells of the progress.
func (r *run) sleep(ctx context.Context, d time.Duration, full <-chan struct{}) error {
	if d == 0 && full == nil {
		return nil
	}
	var over <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	tick := time.NewTicker(progressInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-over:
			return nil
		case <-full:
			return nil
		case <-tick.C:
			if r.o.Progress != nil {
				r.o.Progress(r.record.finalised())
			}
		}
	}
}

func (r *run) stop() {
	r.over.Store(true)
	close(r.ending)
}

// await waits for what is on its way.
func (r *run) await(ctx context.Context, cancel context.CancelCauseFunc, result <-chan error) error {
	patience := r.patience()
	timer := time.AfterFunc(patience, func() {
		cancel(fmt.Errorf("vertices were not final %v after the end of the measurement", patience))
	})
	defer timer.Stop()
	err := <-result
	if err != nil && ctx.Err() != nil && !errors.Is(context.Cause(ctx), errSubmitting) {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}

func (r *run) patience() time.Duration {
	if r.o.Patience == 0 {
		return patienceDefault
	}
	return r.o.Patience
}

// submitAll submits until the end and returns when everything was finalised.
func (r *run) submitAll(ctx context.Context, cancel context.CancelCauseFunc) error {
	var (
		all   sync.WaitGroup
		once  sync.Once
		first error
	)
	fail := func(err error) {
		once.Do(func() {
			first = err
			cancel(errSubmitting)
		})
	}
	if r.o.Rate > 0 {
		r.openLoop(ctx, &all, fail)
	} else {
		r.closedLoop(ctx, &all, fail)
	}
	all.Wait()
	return first
}

// submit has one group finalised.
func (r *run) submit(ctx context.Context, door int, payloads [][]byte, due func(i int) time.Time) error {
	sequences, err := r.target.Submit(ctx, door, payloads)
	if err != nil {
		return err
	}
	if len(sequences) != len(payloads) {
		return fmt.Errorf("%d payloads were submitted and %d finalised", len(payloads), len(sequences))
	}
	r.record.group(due, time.Now(), sequences)
	return nil
}

// door is where the k-th group of a submitter of so many goes in: to one door
// always if they can be spread evenly, else to all in turn.
func (r *run) door(submitter, submitters, k int) int {
	if r.o.LeaderOnly {
		return r.target.Leader()
	}
	return (submitter + k*submitters) % r.target.Doors()
}

// slabBytes of random payload are drawn once; a target that compresses gains
// little by it, and drawing payloads costs the measurement nothing.
const slabBytes = 1 << 20

func newSlab(payload int) []byte {
	slab := make([]byte, slabBytes+payload)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(slab) // it never fails
	return slab
}

// payloads cuts n payloads out of the slab.
func (r *run) payloads(random *rand.Rand, n int) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		at := random.IntN(slabBytes)
		list[i] = r.slab[at : at+r.o.Payload : at+r.o.Payload]
	}
	return list
}
