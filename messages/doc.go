// Package messages holds everything that travels between replicas or is
// stored by them: votes and bundles, vertices and batches, the genesis file,
// and the frames of the wire, with the bounds of each in one file (bounds.go).
//
// Two encodings live here and are never confused. What is signed or hashed is
// a fixed-layout, big-endian byte string built from typed fields (signing.go,
// vertex.go, batch.go, genesis.go): one value has exactly one such string. How
// things travel is msgpack (wire.go, codec.go), of which one value has many
// encodings; it is therefore never signed, hashed or compared.
//
// The package is pure: it reads no clock, no disk, no network, and starts no
// goroutine.
package messages
