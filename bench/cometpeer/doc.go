// Package cometpeer runs a network of CometBFT validators in this process, to be
// measured beside replicas: whole nodes with its key-value store in process, encrypted
// connections over loopback, consensus logs, block stores and signing states on the
// disk, and Ed25519 keys, all as shipped. What is tuned, and why, is in settings.
package cometpeer
