// Package home reads the folder of a replica, which "replica testnet" writes, and
// makes of it what package replica starts from.
package home
