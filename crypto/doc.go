// Package crypto turns signatures into types: schemes and their keys, the
// keyring of a membership, and bundles, which are sealed by their sender and
// opened into verified votes. The protocol takes nothing but Verified values,
// and only this package makes them.
//
// It is pure but for hedged signing, which draws randomness as FIPS 204
// recommends; that is the one named exception.
package crypto
