package metrics

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

const namespace = "cretoai_consensus_"

// Options say what a Metrics is for. The zero value is usable.
type Options struct {
	// Version is the product's version, exposed in build_info.
	Version string
	// Members is n; the indices below it are the label values of peers. Traffic
	// of any other peer is counted as "other".
	Members int
	// Quorum is how many of them a decision takes.
	Quorum int
	// Now is the clock the one-minute window of finality_time_ms slides by.
	// The default is the machine's.
	Now func() time.Time
}

// Metrics is what one replica exposes. Its methods may be called from any
// goroutine; those of the hot path do not allocate.
type Metrics struct {
	registry *prometheus.Registry
	finality *finality

	preparesSent, commitsSent          prometheus.Counter
	verticesFinalized, sequencesExec   prometheus.Counter
	viewChanges, quarantined, retries  prometheus.Counter
	violations, restarts, drops        closed[prometheus.Counter]
	limits                             closed[prometheus.Counter]
	cacheHits, keyElsewhere            prometheus.Counter
	decisions                          closed[prometheus.Counter]         // by
	sentBytes                          closed[closed[prometheus.Counter]] // peer, lane
	receivedBytes                      closed[prometheus.Counter]         // peer
	currentView, viewTimeout, banned   prometheus.Gauge
	currentLeader, observing, halted   prometheus.Gauge
	stableCheckpoint, executedSequence prometheus.Gauge
	pendingVertices                    prometheus.Gauge
	peersConnected, peersVoting        prometheus.Gauge
	peerBehind                         closed[prometheus.Gauge] // peer
	walSyncDisabled, diskFree          prometheus.Gauge
	stateTransfers, transferredBytes   prometheus.Counter
	transferParts, transferMissing     prometheus.Gauge
	snapshotSequence, snapshotAge      prometheus.Gauge
	ledgerFirst                        prometheus.Gauge
	queueDepth                         closed[prometheus.Gauge]
	phaseDuration                      closed[prometheus.Observer]
	batchVertices, batchBytes          prometheus.Observer
	signDuration, verifyDuration       prometheus.Observer
	bundleVotes                        prometheus.Observer
	flushDuration, flushBytes          prometheus.Observer
	creators                           atomic.Pointer[func() CreatorCounts]
}

// New makes a replica's metrics and a registry that holds them, Go's own and
// the process'.
func New(o Options) *Metrics {
	if o.Now == nil {
		o.Now = time.Now
	}
	r := factory{prometheus.NewRegistry()}
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	peers := members(o.Members)

	m := &Metrics{registry: r.Registry, finality: newFinality(o.Now)}
	r.MustRegister(m.finality)

	m.preparesSent = r.counter("prepares_sent_total", "Prepare votes this replica has signed and sent.")
	m.commitsSent = r.counter("commits_sent_total", "Commit votes this replica has signed and sent.")
	m.verticesFinalized = r.counter("vertices_finalized_total", "Vertices executed for the first time by this replica.")
	m.sequencesExec = r.counter("sequences_executed_total", "Sequences executed by this replica since it was started.")
	m.decisions = r.counters("decisions_total", "Sequences that votes decided, rather than what others finalised, by whom.", "by", decisions)
	m.viewChanges = r.counter("view_changes_total", "Views this replica has left by a view change.")
	m.quarantined = r.counter("quarantined_bundles_total", "Valid bundles set aside because handling them panicked twice.")
	m.retries = r.counter("application_retries_total", "Panics out of the application after which its state was made anew for a second try.")
	m.violations = r.counters("byzantine_violations_total", "Violations found by the detector, by type.", "type", violations)
	m.restarts = r.counters("actor_restarts_total", "Restarts of actors after a panic, by actor.", "actor", actorNames)
	m.limits = r.counters("limits_reached_total", "Times a member reached a bound on what it may cost, by bound.", "limit", limits)
	m.cacheHits = r.counter("signature_cache_hits_total", "Bundles whose signature had been verified before.")
	m.keyElsewhere = r.counter("own_key_elsewhere_total", "Times something was seen that this replica's own key signed and the replica did not.")
	m.watchedCreators(r)
	m.drops = r.counters("dropped_total", "Messages and votes thrown away, by reason.", "reason", dropReasons)

	sent := r.counterVec("network_sent_bytes_total", "Bytes sent to other members, by index and lane.", "peer", "lane")
	m.sentBytes = newClosed(func(peer string) closed[prometheus.Counter] {
		return newClosed(func(lane string) prometheus.Counter { return sent.WithLabelValues(peer, lane) }, lanes)
	}, peers)
	m.receivedBytes = r.counters("network_received_bytes_total", "Bytes received from other members, by index.", "peer", peers)

	m.currentView = r.gauge("current_view", "The view this replica is in or changing to.")
	m.currentLeader = r.gauge("current_leader", "Index of the member that leads the current view.")
	m.observing = r.gauge("observing", "1 while this replica does not vote since its disk or its journal was empty; 0 otherwise.")
	m.halted = r.gauge("halted", "1 if this replica has stopped voting and executing to keep its data safe; 0 otherwise.")
	m.viewTimeout = r.gauge("view_timeout_seconds", "How long the present view's leader may leave a vertex aside; doubled with every view that failed.")
	m.banned = r.gauge("banned_nodes", "Members this replica has banned.")
	m.stableCheckpoint = r.gauge("stable_checkpoint", "Sequence of the last stable checkpoint.")
	m.executedSequence = r.gauge("executed_sequence", "Sequence of the last batch executed.")
	m.pendingVertices = r.gauge("pending_vertices", "Vertices in the pool that are not executed yet.")
	r.gauge("quorum", "Members a decision takes at least, this one included.").Set(float64(o.Quorum))
	m.peersConnected = r.gauge("peers_connected", "Other members with an open channel.")
	m.peersVoting = r.gauge("peers_voting", "Other members with an open channel that vote, as far as this replica can know.")
	m.peerBehind = r.gauges("peer_behind_sequences", "Sequences this replica executed that a member, by its last word, did not; by index.", "peer", peers)
	m.diskFree = r.gauge("disk_free_bytes", "Bytes left on the disk of the journal, where its file system tells.")
	m.walSyncDisabled = r.gauge("wal_sync_disabled", "1 if the journal is not flushed before votes are sent, which is unsafe; 0 otherwise.")
	m.stateTransfers = r.counter("state_transfers_total", "Snapshots this replica has begun to fetch.")
	m.transferredBytes = r.counter("state_transfer_bytes_total", "Bytes of snapshots fetched and found right.")
	m.transferParts = r.gauge("state_transfer_parts", "Parts of the snapshot that is being fetched; 0 while none is.")
	m.transferMissing = r.gauge("state_transfer_missing_parts", "Parts of it that are still missing.")
	m.snapshotSequence = r.gauge("snapshot_sequence", "Sequence of the newest snapshot others may have; 0 without one.")
	m.snapshotAge = r.gauge("snapshot_age_seconds", "How long ago it was taken.")
	m.ledgerFirst = r.gauge("ledger_first_sequence", "The oldest sequence in the ledger.")
	m.queueDepth = r.gauges("queue_depth", "Items that wait, by queue.", "queue", queues)
	r.buildInfo(o.Version)

	m.phaseDuration = r.histograms("phase_duration_seconds", "Duration of the phases of a sequence.", latencyBuckets, "phase", phases)
	m.batchVertices = r.histogram("batch_vertices", "Vertices of the batches executed.", sizeBuckets)
	m.batchBytes = r.histogram("batch_bytes", "Bytes of the batches executed.", byteBuckets)
	m.signDuration = r.histogram("sign_duration_seconds", "Time to sign one bundle.", latencyBuckets)
	m.verifyDuration = r.histogram("verify_duration_seconds", "Time to verify one bundle.", latencyBuckets)
	m.bundleVotes = r.histogram("bundle_votes", "Votes covered by one of this replica's signatures.", sizeBuckets)
	m.flushDuration = r.histogram("flush_duration_seconds", "Time to write and flush one group of the journal.", latencyBuckets)
	m.flushBytes = r.histogram("flush_bytes", "Bytes of one flush group of the journal.", byteBuckets)
	return m
}

// Registry holds all metrics of the replica. It is itself a
// prometheus.Collector: an embedder with several replicas in one process
// registers each in a registry of his own, under a label of his own, with
// prometheus.WrapRegistererWith.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// Bounds of the classic buckets. The native histograms beside them need none.
var (
	// latencyBuckets are in seconds: a verification takes 30 µs, a flush up to
	// some milliseconds, finality at most seconds unless the network is cut.
	latencyBuckets = []float64{
		.000025, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10,
	}
	// sizeBuckets count vertices of a batch or votes of a bundle.
	sizeBuckets = prometheus.ExponentialBuckets(1, 2, 11) // 1 … 1024
	// byteBuckets are in bytes.
	byteBuckets = prometheus.ExponentialBuckets(256, 4, 8) // 256 B … 4 MiB
)

// factory makes and registers metrics under the one namespace.
type factory struct{ *prometheus.Registry }

func register[C prometheus.Collector](f factory, c C) C {
	f.MustRegister(c)
	return c
}

func (f factory) counter(name, help string) prometheus.Counter {
	return register(f, prometheus.NewCounter(prometheus.CounterOpts{Name: namespace + name, Help: help}))
}

func (f factory) counterVec(name, help string, labels ...string) *prometheus.CounterVec {
	return register(f, prometheus.NewCounterVec(prometheus.CounterOpts{Name: namespace + name, Help: help}, labels))
}

func (f factory) counters(name, help, label string, values []string) closed[prometheus.Counter] {
	v := f.counterVec(name, help, label)
	return newClosed(func(value string) prometheus.Counter { return v.WithLabelValues(value) }, values)
}

func (f factory) gauge(name, help string) prometheus.Gauge {
	return register(f, prometheus.NewGauge(prometheus.GaugeOpts{Name: namespace + name, Help: help}))
}

func (f factory) gauges(name, help, label string, values []string) closed[prometheus.Gauge] {
	v := register(f, prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: namespace + name, Help: help}, []string{label}))
	return newClosed(func(value string) prometheus.Gauge { return v.WithLabelValues(value) }, values)
}

func histogramOpts(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: namespace + name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:    1.1,
		NativeHistogramMaxBucketNumber: 160,
	}
}

func (f factory) histogram(name, help string, buckets []float64) prometheus.Observer {
	return register(f, prometheus.NewHistogram(histogramOpts(name, help, buckets)))
}

func (f factory) histograms(name, help string, buckets []float64, label string, values []string) closed[prometheus.Observer] {
	v := register(f, prometheus.NewHistogramVec(histogramOpts(name, help, buckets), []string{label}))
	return newClosed(func(value string) prometheus.Observer { return v.WithLabelValues(value) }, values)
}

func (f factory) buildInfo(version string) {
	f.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: namespace + "build_info", Help: "1, labelled with the versions this replica was built from.",
		ConstLabels: prometheus.Labels{"version": version, "go_version": runtime.Version()},
	}, func() float64 { return 1 }))
}
