package metrics

import "github.com/prometheus/client_golang/prometheus"

// CreatorCounts says what checking creators' signatures has cost: signatures
// verified, verifications that were saved because they were known to hold, and
// keys expanded.
type CreatorCounts struct {
	Verifications, Remembered, Expansions uint64
}

// WatchCreators has the counts read from where they are kept whenever the metrics
// are: they are counted where no metrics are known.
func (m *Metrics) WatchCreators(counts func() CreatorCounts) { m.creators.Store(&counts) }

func (m *Metrics) watchedCreators(r factory) {
	count := func(name, help string, of func(CreatorCounts) uint64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: namespace + name, Help: help}, func() float64 {
			if counts := m.creators.Load(); counts != nil {
				return float64(of((*counts)()))
			}
			return 0
		}))
	}
	count("creator_verifications_total", "Signatures of vertices' creators that were verified.",
		func(c CreatorCounts) uint64 { return c.Verifications })
	count("creator_signature_cache_hits_total", "Signatures of vertices' creators that were known to hold.",
		func(c CreatorCounts) uint64 { return c.Remembered })
	count("creator_keys_expanded_total", "Keys of creators that were expanded, which costs several verifications.",
		func(c CreatorCounts) uint64 { return c.Expansions })
}
