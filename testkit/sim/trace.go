package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
)

// storyLinesMax bounds the end of the story that a Result keeps.
const storyLinesMax = 400

// trace is the record of a run: a hash over every step and every frame, by
// which two runs are compared, and the story of what was done to the cluster.
type trace struct {
	clock *runtime.Virtual
	begin time.Time
	sum   hash.Hash
	out   io.Writer // every step as a line; nil for none
	story []string
	buf   []byte
}

func newTrace(clock *runtime.Virtual, out io.Writer) *trace {
	return &trace{clock: clock, begin: clock.Now(), sum: sha256.New(), out: out}
}

func (t *trace) now() time.Duration { return t.clock.Now().Sub(t.begin) }

// note adds one event to the hash.
func (t *trace) note(what byte, numbers [4]int, texts ...string) {
	t.buf = append(t.buf[:0], what)
	t.buf = binary.BigEndian.AppendUint64(t.buf, uint64(t.now()))
	for _, n := range numbers {
		t.buf = binary.BigEndian.AppendUint32(t.buf, uint32(n))
	}
	for _, s := range texts {
		t.buf = append(append(t.buf, s...), 0)
	}
	t.sum.Write(t.buf)
}

// step records that an actor is handed a message.
func (t *trace) step(m *mailbox, message any) {
	p := m.process
	t.note('s', [4]int{p.member, p.life}, m.name, typeOf(message))
	if t.out != nil {
		t.line("%d.%d %-20s %s", p.member, p.life, short(m.name), typeOf(message))
	}
}

// frame records what the network does with a frame.
func (t *trace) frame(what string, from, to int, frame []byte) {
	t.note('f', [4]int{from, to, len(frame)}, what)
	t.sum.Write(frame)
	if t.out != nil {
		t.line("%d→%d %s %s", from, to, what, describe(frame))
	}
}

// tell adds a line to the story, and to the hash.
func (t *trace) tell(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	t.note('t', [4]int{}, text)
	t.remark(text)
}

// remark adds a line to the story alone.
func (t *trace) remark(text string) {
	if len(t.story) == storyLinesMax {
		t.story = append(t.story[:0], t.story[1:]...)
	}
	t.story = append(t.story, fmt.Sprintf("%9.3fs  %s", t.now().Seconds(), text))
	if t.out != nil {
		t.line("%s", text)
	}
}

func (t *trace) line(format string, args ...any) {
	fmt.Fprintf(t.out, "%9.6f "+format+"\n", append([]any{t.now().Seconds()}, args...)...)
}

// hash is the run's identity so far.
func (t *trace) hash() (h [32]byte) {
	t.sum.Sum(h[:0])
	return h
}
