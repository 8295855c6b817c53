// Package keyfile keeps private keys on disk. A file holds one key: not the
// key itself but the seed it is derived from, with what the key is for and on
// which chain, so that it cannot be used for anything else by mistake.
//
// A file is text, of exactly these lines:
//
//	cretoai-consensus secret key, version 1
//	purpose: consensus
//	scheme: ml-dsa-87
//	chain: example
//	fingerprint: <64 hexadecimal digits: the member id of the public key>
//	seed: <base64>
//
// Nobody but its owner may read a file, and none is ever overwritten: a lost
// key ends a membership. Beside a consensus key that has never signed lies a file
// of the same name with .unused at the end.
package keyfile
