// Package metrics holds every number a replica exposes to Prometheus. Each
// replica has a Metrics with a registry of its own; nothing is global, and no
// other package names a metric.
//
// The names that begin with cretoai_consensus_ and end in finality_time_ms,
// prepares_sent_total, commits_sent_total, vertices_finalized_total,
// byzantine_violations_total, banned_nodes, view_changes_total and
// current_view are those operators of the original implementation have
// dashboards for, and stay. The others follow Prometheus' conventions: base
// units, _total for counters.
//
// Every label takes its values from a closed set that is known when the
// Metrics is made (labels.go); anything else is counted as "other". Whoever
// sends us strange messages can thus not make the number of series grow.
//
// The package imports nothing of this module.
package metrics
