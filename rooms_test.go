package consensus_test

import (
	"slices"
	"strings"
)

// room is one folder of the module, with what it may know. Arrows of import
// point down the list of rooms.
type room struct {
	folder string
	why    string   // what the room is for, and hence why it may know no more
	ours   []string // the rooms it may import
	third  []string // modules of others it may import

	// pure rooms decide and do nothing: same input, same output. They import
	// only the part of the standard library in pureStd, and std with a reason.
	pure bool
	std  map[string]string

	// still rooms start no goroutine and read no clock; what they need of both
	// is handed in, so that the simulator owns it. Pure rooms are still.
	still bool
}

const (
	protoactor = "github.com/asynkron/protoactor-go"
	circl      = "github.com/cloudflare/circl"
	pebble     = "github.com/cockroachdb/pebble/v2"
	goToml     = "github.com/pelletier/go-toml/v2"
	clientGo   = "github.com/prometheus/client_golang"
	clientMod  = "github.com/prometheus/client_model"
	zerolog    = "github.com/rs/zerolog"
	progress   = "github.com/schollz/progressbar/v3"
	cobra      = "github.com/spf13/cobra"
	msgpack    = "github.com/vmihailenco/msgpack/v5"
	xsys       = "golang.org/x/sys"
	grpc       = "google.golang.org/grpc"
	protobuf   = "google.golang.org/protobuf"
)

// testThird are the modules that only tests import.
var testThird = []string{
	"filippo.io/mldsa",                     // the second implementation crypto is compared with
	"github.com/anishathalye/porcupine",    // whether a history is linearizable
	"github.com/cockroachdb/datadriven",    // scripted scenarios
	"github.com/rogpeppe/go-internal",      // testscript, for the command line
	"go.uber.org/goleak",                   // no goroutine survives its owner
	clientMod, protoactor, zerolog, pebble, // to look at what the product made of them
}

// The rooms from the bottom up, as others name them.
var (
	core = []string{"messages", "crypto", "pbft", "leader", "detector"}
	tree = slices.Concat(core, []string{"metrics", "storage", "cluster", "actors/runtime"})
	door = slices.Concat(tree, []string{"actors", "crypto/keyfile"})
)

var rooms = []room{
	{
		folder: ".",
		why:    "the root holds the repository's own tests and no code",
	},
	{
		folder: "cmd/replica",
		why: "the command line knows everything below it and has no logic of its own; " +
			"of testkit only the parts made to be shipped",
		ours: slices.Concat(door, []string{
			"replica", "replica/httpapi", "replica/kvstore", "replica/nodeconfig", "replica/testnet", "testkit/sim", "testkit/byzantine",
			"testkit/explore", "testkit/twins",
			"cmd/replica/home", "cmd/replica/local", "cmd/replica/workload", "cmd/replica/floor",
		}),
		third: []string{cobra, progress, zerolog, xsys, clientGo},
	},
	{
		folder: "cmd/replica/local",
		why:    "clusters in one process, for the command and for bench/, which is another module; it knows no flag and prints nothing",
		ours: []string{
			"cmd/replica/home", "cmd/replica/workload", "replica", "replica/testnet", "cluster", "messages", "metrics", "pbft", "storage",
		},
		third: []string{zerolog},
	},
	{
		folder: "cmd/replica/home",
		why:    "reads a replica's folder, for whatever starts one or looks into it; starts nothing",
		ours: []string{
			"replica", "replica/kvstore", "replica/nodeconfig", "replica/testnet", "actors", "crypto", "crypto/keyfile", "messages", "storage",
		},
		third: []string{zerolog},
		still: true,
	},
	{
		folder: "cmd/replica/floor",
		why:    "the bare exchange replicas are compared with: it shares their bytes and their cryptography, and must share none of their logic",
		ours:   []string{"cmd/replica/workload", "crypto", "messages"},
		third:  []string{xsys},
	},
	{
		folder: "cmd/replica/workload",
		why:    "puts load on whatever finalises and measures it: replicas, the floor, peers of other makes in bench/; it knows none of them",
	},
	{
		folder: "testkit",
		why:    "clusters in one process, for tests: it may know all that is tested",
		ours:   slices.Concat(door, []string{"replica", "replica/kvstore", "crypto/cryptotest", "testkit/sim", "testkit/byzantine"}),
		third:  []string{protoactor, zerolog, pebble, clientGo, "go.uber.org/goleak", "github.com/cockroachdb/datadriven"},
	},
	{
		folder: "testkit/explore",
		why:    "explores replicas of testkit/pure, on many threads and for a time; knows nothing that acts",
		ours:   slices.Concat(core, []string{"testkit/pure"}),
	},
	{
		folder: "testkit/twins",
		why:    "draws scenarios and runs them over testkit/pure, or has the simulator run them",
		ours:   slices.Concat(core, []string{"testkit/pure", "testkit/sim", "testkit/byzantine"}),
	},
	{
		folder: "testkit/sim",
		why:    "the simulator is shipped inside the command: no testing, no scenario library",
		ours:   slices.Concat(door, []string{"replica", "crypto/cryptotest", "testkit/byzantine"}),
		third:  []string{protoactor, zerolog, pebble},
		still:  true,
	},
	{
		folder: "testkit/pure",
		why:    "replicas of the pure rooms alone: whatever acts would be one more thing to explore",
		ours:   slices.Concat(core, []string{"crypto/cryptotest"}),
		still:  true,
	},
	{
		folder: "testkit/kill",
		why:    "a command that runs the product as its users do, as processes behind HTTP, and reads what they leave",
		ours:   slices.Concat(door, []string{"replica", "replica/httpapi", "replica/nodeconfig", "replica/testnet"}),
	},
	{
		folder: "testkit/byzantine",
		why:    "behaviours wrap the honest replica, under the simulator too",
		ours:   slices.Concat(door, []string{"crypto/cryptotest"}),
		third:  []string{protoactor},
		still:  true,
	},
	{
		folder: "replica/httpapi",
		why:    "HTTP in front of the door; an embedder without it does not link net/http handlers",
		ours:   []string{"replica", "replica/kvstore", "messages", "pbft", "metrics"},
		third:  []string{clientGo, zerolog},
	},
	{
		folder: "replica/kvstore",
		why:    "an application like any embedder's: it knows the door's interface and what a vertex is, and nothing that runs",
		ours:   []string{"replica", "messages"},
		still:  true,
	},
	{
		folder: "replica/testnet",
		why:    "writes folders for nodeconfig to load; knows nothing that runs",
		ours:   []string{"replica/nodeconfig", "crypto", "crypto/keyfile", "messages"},
	},
	{
		folder: "replica/nodeconfig",
		why:    "the configuration file is values and checks; it starts nothing",
		ours:   []string{"crypto", "crypto/keyfile", "messages"},
		third:  []string{goToml},
	},
	{
		folder: "replica",
		why:    "the door for embedders wires the tree; it knows no command line and no configuration file",
		ours:   door,
		third:  []string{protoactor, zerolog, pebble, clientGo},
		still:  true,
	},
	{
		folder: "actors",
		why:    "the actors perform what the pure rooms decide; the simulator must own every step of them",
		ours:   tree,
		third:  []string{protoactor, zerolog, pebble},
		still:  true,
	},
	{
		folder: "actors/runtime",
		why:    "the leaf: time and chance, importable from anywhere, hence importing nothing",
	},
	{
		folder: "cluster",
		why:    "moves opaque frames between members; what is in them is ingress' business",
		ours:   []string{"actors/runtime", "crypto", "messages"},
		third:  []string{protoactor, grpc, protobuf, msgpack},
	},
	{
		folder: "storage",
		why:    "keeps records of a kind, a sequence and bytes; it must not learn what a vote is",
		ours:   []string{"actors/runtime", "messages"},
		third:  []string{pebble, xsys},
		still:  true,
	},
	{
		folder: "metrics",
		why:    "a leaf, so that every room may be counted without a cycle",
		third:  []string{clientGo, clientMod},
	},
	{
		folder: "detector",
		why:    "pure: evidence must be judged alike by everyone; whether a new-view follows, leader's rules say",
		ours:   []string{"leader", "pbft", "crypto", "messages"},
		pure:   true,
	},
	{
		folder: "leader",
		why:    "pure: who leads, who suspects, how long to wait",
		ours:   []string{"pbft", "crypto", "messages"},
		pure:   true,
	},
	{
		folder: "pbft",
		why:    "pure: the same votes in the same order give the same decisions, in tests and in the simulator",
		ours:   []string{"crypto", "messages"},
		pure:   true,
	},
	{
		folder: "crypto/keyfile",
		why:    "the disk side of keys, apart from crypto so that crypto stays pure",
		ours:   []string{"crypto", "messages"},
		third:  []string{xsys},
		still:  true,
	},
	{
		folder: "cluster/clustertest",
		why:    "how tests run that start several transports in one process; no test, so that two rooms can share it",
		still:  true,
	},
	{
		folder: "crypto/cryptotest",
		why:    "stand-in keys for tests and the simulator; nothing a configuration could name",
		ours:   []string{"crypto", "messages"},
		third:  []string{circl},
		still:  true,
	},
	{
		folder: "crypto",
		why:    "pure but for hedged signing: circl draws from crypto/rand, no file here does",
		ours:   []string{"messages"},
		third:  []string{circl},
		pure:   true,
		std: map[string]string{
			"sync": "the memory of verified signatures, which no result depends on",
		},
	},
	{
		folder: "messages",
		why:    "pure, and known by everyone: it may know nobody",
		third:  []string{msgpack},
		pure:   true,
		std: map[string]string{
			"encoding/json": "the files of genesis and of proofs, read strictly",
			"sync":          "pools of encoders and decoders, which no output depends on",
			"unicode":       "texts from peers are checked before they are shown",
		},
	},
}

// pureStd is what pure rooms may import of the standard library: no package of
// it starts a goroutine, reads a clock, a file or a socket, or draws numbers.
// Of time, only durations and moments handed in (see clockFuncs).
var pureStd = []string{
	"bytes", "cmp", "container/heap", "container/list", "crypto/sha256", "encoding", "encoding/base64",
	"encoding/binary", "encoding/hex", "errors", "fmt", "hash", "hash/crc32", "io", "iter", "maps", "math",
	"math/bits", "slices", "sort", "strconv", "strings", "time", "unicode/utf8",
}

// clockFuncs are the functions that read a clock or wait for one.
var clockFuncs = map[string][]string{
	"time":    {"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep"},
	"context": {"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause"},
}

// chance are the packages random numbers come from; still rooms use the Rand
// they are given. Rooms that may import one are named in chanceExceptions.
var chance = []string{"math/rand", "math/rand/v2", "crypto/rand"}

var chanceExceptions = map[string]string{
	"crypto/rand in crypto/keyfile": "new seeds",
	"math/rand/v2 in testkit/sim":   "the seed that everybody else is handed in starts here",
}

// roomOf finds the room a folder belongs to: itself, or the nearest above it
// that is listed. A folder of nobody's has no room.
func roomOf(folder string) *room {
	for f := folder; ; {
		if i := slices.IndexFunc(rooms, func(r room) bool { return r.folder == f }); i >= 0 {
			return &rooms[i]
		}
		cut := strings.LastIndexByte(f, '/')
		if cut < 0 {
			return nil
		}
		f = f[:cut]
	}
}

// inside reports whether an import path is of the module or package prefix.
func inside(importPath, prefix string) bool {
	return importPath == prefix || strings.HasPrefix(importPath, prefix+"/")
}
