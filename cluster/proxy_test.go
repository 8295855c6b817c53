package cluster

import (
	"io"
	"net"
	"sync"
	"testing"
)

// proxy stands at a member's address and can be cut, like a cable.
type proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
	wait  sync.WaitGroup
}

// proxied puts a proxy before member i of all configurations.
func proxied(t *testing.T, configs []RemoteConfig, i int) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: configs[i].Listen, conns: make(map[net.Conn]bool)}
	configs[i].Peers[i].Address = l.Addr().String() // Peers is shared by all
	p.wait.Add(1)
	go p.accept()
	t.Cleanup(func() {
		_ = l.Close()
		p.set(true)
		p.wait.Wait()
	})
	return p
}

func (p *proxy) accept() {
	defer p.wait.Done()
	for {
		from, err := p.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = from.Close()
			continue
		}
		if !p.keep(from, to) {
			continue
		}
		p.wait.Add(2)
		go p.copy(from, to)
		go p.copy(to, from)
	}
}

func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.cut {
			_ = c.Close()
		} else {
			p.conns[c] = true
		}
	}
	return !p.cut
}

func (p *proxy) copy(to, from net.Conn) {
	defer p.wait.Done()
	_, _ = io.Copy(to, from)
	_, _ = from.Close(), to.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, from)
}

// set cuts the cable, or mends it.
func (p *proxy) set(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for c := range p.conns {
			_ = c.Close()
		}
		clear(p.conns)
	}
}
