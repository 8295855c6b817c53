package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cretoai/consensus/cmd/replica/home"
	"github.com/cretoai/consensus/cmd/replica/local"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/storage"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"replica": main})
}

// TestScripts runs testdata/*.txt, each in a folder of its own. $PORT is the base
// port of a test network of four whose ports are free; $API0 to $API3 are its
// replicas' APIs.
func TestScripts(t *testing.T) {
	suppressions, err := filepath.Abs("../../cluster/testdata/race.txt")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			// Under the race detector: the demo starts several replicas in one
			// process, and the file says what that does to a library.
			e.Setenv("GORACE", "suppressions="+suppressions)
			base := scriptPorts()
			e.Setenv("PORT", strconv.Itoa(base))
			for i := range 4 {
				e.Setenv(fmt.Sprintf("API%d", i), fmt.Sprintf("http://127.0.0.1:%d", base+10*i+1))
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await": await, "reach": reach, "logged": logged, "replace": replace, "zeros": zeros, "post": post, "fetch": fetchTo, "request": request, "terminate": terminate,
			"samehash": sameHash, "rerun": rerun, "lie": lie, "tamper": tamper,
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Geteuid() == 0, nil
			case "shm":
				return storage.IsTmpfs("/dev/shm")
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		RequireExplicitExec: true,
	})
}

// scriptPorts gives every script ports of its own, apart from those the demo
// draws: scripts run at the same time.
var scriptPorts = func() func() int {
	var mu sync.Mutex
	const low, high, step = 11_000, 19_000, 100
	next := low + step*rand.IntN((high-low)/step/2)
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		for {
			if next += step; next >= high {
				panic("no ports are free")
			}
			if local.PortsAreFree(next, 4) {
				return next
			}
		}
	}
}()

// sameHash compares the hashes in two files of simulations' JSON.
func sameHash(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: samehash FILE FILE")
	}
	var reports [2]struct{ Hash string }
	for i, name := range args {
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(name)), &reports[i]))
	}
	if reports[0].Hash == "" || reports[0] != reports[1] {
		ts.Fatalf("the hashes are %q and %q", reports[0].Hash, reports[1].Hash)
	}
}

// rerun runs the command line that the first group of a regular expression finds
// in the last output; it has to fail, and to print what a second one matches.
func rerun(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: rerun REGEXP WANT")
	}
	found := regexp.MustCompile("(?m)" + args[0]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("no command line in the output")
	}
	line := strings.Fields(found[1])
	if err := ts.Exec(line[0], line[1:]...); err == nil {
		ts.Fatalf("%s succeeds", found[1])
	}
	if !regexp.MustCompile("(?m)" + args[1]).MatchString(ts.ReadFile("stdout")) {
		ts.Fatalf("%s prints no %s", found[1], args[1])
	}
}

// terminate sends SIGTERM to all background commands.
func terminate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: terminate")
	}
	for _, command := range ts.BackgroundCmds() {
		ts.Check(command.Process.Signal(syscall.SIGTERM))
	}
}

// awaitTimeout bounds how long a script waits for a replica; it is long, for
// machines that do much else.
const awaitTimeout = 30 * time.Second

// await asks URLs until each has answered with 200 once.
func await(ts *testscript.TestScript, neg bool, urls []string) {
	if neg || len(urls) == 0 {
		ts.Fatalf("usage: await URL...")
	}
	for _, url := range urls {
		poll(ts, "an answer of "+url, func() bool { _, ok := fetch(url); return ok })
	}
}

// reach waits until the replicas behind APIs have executed so many vertices.
func reach(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: reach VERTICES API...")
	}
	want, err := strconv.ParseUint(args[0], 10, 64)
	ts.Check(err)
	for _, api := range args[1:] {
		var s replica.Status
		poll(ts, fmt.Sprintf("%d vertices at %s", want, api), func() bool {
			body, ok := fetch(api + "/v1/status")
			return ok && json.Unmarshal(body, &s) == nil && s.Vertices >= want
		})
		if s.Vertices != want {
			ts.Fatalf("%s has %d vertices, not %d", api, s.Vertices, want)
		}
	}
}

// logged waits until a file has a line that matches.
func logged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: logged FILE REGEXP")
	}
	path := ts.MkAbs(args[0])
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	poll(ts, args[1]+" in "+args[0], func() bool {
		data, err := os.ReadFile(path)
		return err == nil && pattern.Match(data)
	})
}

func poll(ts *testscript.TestScript, goal string, reached func() bool) {
	deadline := time.Now().Add(awaitTimeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !reached() {
		if time.Now().After(deadline) {
			ts.Fatalf("waited %v for %s", awaitTimeout, goal)
		}
		<-tick.C
	}
}

func fetch(url string) (body []byte, ok bool) {
	response, err := http.Get(url)
	if err != nil {
		return nil, false
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return body, err == nil && response.StatusCode == http.StatusOK
}

// request sends a request, with the contents of a file without its last line's
// end if one is named, and prints status and body of the answer.
func request(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 && len(args) != 3 {
		ts.Fatalf("usage: request METHOD URL [FILE]")
	}
	body := ""
	if len(args) == 3 {
		body = strings.TrimSuffix(ts.ReadFile(args[2]), "\n")
	}
	r, err := http.NewRequestWithContext(context.Background(), args[0], args[1], strings.NewReader(body))
	ts.Check(err)
	response, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	ts.Check(err)
	_, err = fmt.Fprintf(ts.Stdout(), "%d %s\n", response.StatusCode, answer)
	ts.Check(err)
}

// fetchTo writes what a URL answers to a file; {vertex} in it stands for the
// field of that name in a JSON file.
func fetchTo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: fetch URL JSON-FILE FILE")
	}
	var named struct{ Vertex string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &named))
	url := strings.ReplaceAll(args[0], "{vertex}", named.Vertex)
	body, ok := fetch(url)
	if !ok {
		ts.Fatalf("%s answers %s", url, body)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), body, 0o600))
}

// replace changes all matches of a regular expression in a file; one is needed.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE REGEXP TEXT")
	}
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	if !pattern.Match(data) {
		ts.Fatalf("%s has no %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, pattern.ReplaceAllLiteral(data, []byte(args[2])), 0o600))
}

// zeros makes a file of so many zero bytes, without taking room on the disk.
func zeros(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: zeros FILE BYTES")
	}
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	path := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(path, nil, 0o600))
	ts.Check(os.Truncate(path, size))
}

// lie has the member of a home folder sign two Prepares for one place, and
// writes the file of evidence.
func lie(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lie HOME FILE")
	}
	h, err := home.Load(ts.MkAbs(args[0]))
	ts.Check(err)
	keyring, err := crypto.NewKeyring(h.Genesis)
	ts.Check(err)
	e := &messages.Evidence{
		Member: h.Identity.Index, Kind: messages.Prepare, View: 2, Seq: 7, Digests: [2]messages.Digest{{1}, {2}},
	}
	for i := range e.Digests {
		b, _, err := crypto.Seal(keyring, h.Identity.Index, h.Identity.Key, []messages.Vote{e.Vote(i)})
		ts.Check(err)
		e.Bundles = append(e.Bundles, b)
	}
	file, err := messages.EncodeFrame(e)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), file, 0o600))
}

// tamper copies a file with one byte changed, counted from the end.
func tamper(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: tamper FILE COPY BYTE")
	}
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	at, err := strconv.Atoi(args[2])
	ts.Check(err)
	data[len(data)-at] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

// post sends a file and prints status and body of the answer.
func post(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: post URL CONTENT-TYPE FILE")
	}
	f, err := os.Open(ts.MkAbs(args[2]))
	ts.Check(err)
	defer f.Close()
	response, err := http.Post(args[0], args[1], f)
	ts.Check(err)
	defer response.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(response.Body)
	ts.Check(err)
	_, err = fmt.Fprintf(ts.Stdout(), "%d %s", response.StatusCode, &body)
	ts.Check(err)
}
