// Package nodeconfig is the configuration of one replica, node.toml: what its
// keys mean, how they are read, and how the file is written.
//
// The table in keys.go is the one place that says what a key means and what may
// stand there. Errors, the commented file that Render writes and the checks are
// made of it.
//
// Reading is strict, since a key that is misspelt and silently ignored is a
// setting the operator believes in and does not have. Everything wrong with a
// file is said at once, each complaint with file, line, key and what is allowed
// there; see Complaint.
//
// What all members must agree on is in the genesis file and not here. The keys
// that repeat some of it, quorum_threshold and signature_algorithm, are what an
// operator believes; CheckAgainst compares them with the genesis and nothing
// else depends on them.
package nodeconfig
