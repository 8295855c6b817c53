// Package testnet makes the folders of a cluster on one machine: a genesis file,
// and per replica its keys, its genesis copy and a commented node.toml.
//
// All private keys are made here, in one place, which is what makes it a test
// network: members of a real one make their own and exchange public keys.
package testnet
