package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica/nodeconfig"
	"github.com/cretoai/consensus/replica/testnet"
)

// patience bounds every wait.
const patience = 60 * time.Second

// cluster is a test network whose replicas are processes.
type cluster struct {
	genesis *messages.Genesis
	binary  string
	members []*member
}

type member struct {
	home, data, api string

	mu      sync.Mutex
	process *exec.Cmd     // nil while it is down
	ended   chan struct{} // closed when it has ended
	err     error         // what it ended with
	log     *os.File
}

// standing is what /v1/status tells, as far as it matters here.
type standing struct {
	Sequence   messages.Seq    `json:"sequence"`
	LedgerHead messages.Digest `json:"ledger_head"`
	Vertices   uint64          `json:"vertices"`
	Leader     messages.Index  `json:"leader"`
	Halted     string          `json:"halted"`
}

func newCluster(ctx context.Context, o options) (*cluster, error) {
	n := testnet.DefaultOptions()
	n.Dir = filepath.Join(o.dir, "net")
	var err error
	if n.BasePort, err = freePorts(ctx, n.Replicas); err != nil {
		return nil, err
	}
	network, err := testnet.Generate(n)
	if err != nil {
		return nil, err
	}
	c := &cluster{genesis: network.Genesis, binary: o.binary}
	for _, r := range network.Replicas {
		config, err := nodeconfig.Load(filepath.Join(r.Home, testnet.ConfigFile))
		if err != nil {
			return nil, err
		}
		c.members = append(c.members, &member{home: r.Home, data: config.Storage.Path, api: "http://" + r.API})
	}
	return c, nil
}

// freePorts finds ports that nobody listens at.
func freePorts(ctx context.Context, replicas int) (int, error) {
	var listening net.ListenConfig
	for range 100 {
		base := 20_000 + 100*rand.IntN(100)
		free := true
		for port := base; port < base+10*replicas && free; port++ {
			l, err := listening.Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if free = err == nil; free {
				free = l.Close() == nil
			}
		}
		if free {
			return base, nil
		}
	}
	return 0, errors.New("no free ports between 20000 and 30000")
}

// start starts a replica on what its disk holds.
func (c *cluster) start(ctx context.Context, i int) error {
	m := c.members[i]
	log, err := os.OpenFile(filepath.Join(m.home, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	p := exec.CommandContext(ctx, c.binary, "start", "--home", m.home)
	p.Stderr = log
	if err := p.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ended := make(chan struct{})
	m.process, m.ended, m.log, m.err = p, ended, log, nil
	go func() {
		err := p.Wait()
		m.mu.Lock()
		m.err = err
		m.mu.Unlock()
		close(ended)
	}()
	return nil
}

// kill ends a replica's process at once, wherever it is.
func (c *cluster) kill(i int) {
	m := c.members[i]
	m.mu.Lock()
	p, ended, log := m.process, m.ended, m.log
	m.process = nil
	m.mu.Unlock()
	if p == nil {
		return
	}
	_ = p.Process.Kill() // if it has ended by itself, who waits for it finds out
	<-ended
	_ = log.Close()
}

// stopAll ends all replicas as an operator does.
func (c *cluster) stopAll() error {
	for i, m := range c.members {
		if err := m.process.Process.Signal(os.Interrupt); err != nil {
			return fmt.Errorf("stop replica %d: %w", i, err)
		}
	}
	for i, m := range c.members {
		select {
		case <-m.ended:
			if m.err != nil {
				return fmt.Errorf("replica %d stopped with %w; the end of its log: %s", i, m.err, tail(m.home))
			}
		case <-time.After(patience):
			return fmt.Errorf("replica %d does not stop", i)
		}
	}
	return nil
}

func (c *cluster) killAll() {
	for i := range c.members {
		c.kill(i)
	}
}

// victim draws whom to kill: in every second case the leader.
func (c *cluster) victim(ctx context.Context, rng *rand.Rand) (int, error) {
	i := rng.IntN(len(c.members))
	if rng.IntN(2) == 0 {
		return i, nil
	}
	s, err := c.status(ctx, i)
	return int(s.Leader), err
}

func (c *cluster) status(ctx context.Context, i int) (s standing, err error) {
	body, err := get(ctx, c.members[i].api+"/v1/status")
	if err == nil {
		err = json.Unmarshal(body, &s)
	}
	if err == nil && s.Halted != "" {
		err = fmt.Errorf("replica %d stopped voting: %s", i, s.Halted)
	}
	return s, err
}

// awaitReady waits until a replica is ready and has caught up.
func (c *cluster) awaitReady(ctx context.Context, i int) error {
	return c.await(ctx, fmt.Sprintf("replica %d to be ready", i), func() (bool, error) {
		m := c.members[i]
		select {
		case <-m.ended:
			return false, fmt.Errorf("replica %d ended by itself: %w; the end of its log: %s", i, m.err, tail(m.home))
		default:
		}
		_, err := get(ctx, m.api+"/readyz")
		return err == nil, nil
	})
}

// settle waits until all replicas are at one sequence, and compares their heads.
func (c *cluster) settle(ctx context.Context) (head standing, err error) {
	err = c.await(ctx, "equal ledgers", func() (bool, error) {
		for i := range c.members {
			s, err := c.status(ctx, i)
			if err != nil {
				return false, err
			}
			switch {
			case i == 0:
				head = s
			case s.Sequence != head.Sequence:
				return false, nil
			case s.LedgerHead != head.LedgerHead || s.Vertices != head.Vertices:
				return false, fmt.Errorf("replica %d is at sequence %d with head %v and %d vertices, replica 0 with head %v and %d",
					i, s.Sequence, s.LedgerHead, s.Vertices, head.LedgerHead, head.Vertices)
			}
		}
		return true, nil
	})
	return head, err
}

func (c *cluster) await(ctx context.Context, goal string, reached func() (bool, error)) error {
	late := time.After(patience)
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		ok, err := reached()
		if ok || err != nil {
			return err
		}
		select {
		case <-poll.C:
		case <-late:
			return fmt.Errorf("waited %v for %s", patience, goal)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func get(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return do(r)
}

func do(r *http.Request) ([]byte, error) {
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return body, err
}

// tail is the end of a replica's log.
func tail(home string) string {
	data, err := os.ReadFile(filepath.Join(home, "log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}
