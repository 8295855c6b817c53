// Package runtime is the only way to time and chance: a Clock and a Rand that
// everything above the pure packages is given and nobody takes from the
// standard library. In production they are the machine's; in the simulator
// they are one virtual clock and one seed, so that a run can be repeated bit
// for bit. It also has the goroutines that actors run on in production.
//
// The package imports nothing of this module, so any folder may import it.
package runtime
