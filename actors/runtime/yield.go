package runtime

import "runtime"

// Yield lets others that are ready go first, once. Who is about to do for one what it
// could do for many together lets those arrive that were woken at the same time: the
// scheduler runs whom a goroutine wakes right after it, before the others.
func Yield() { runtime.Gosched() }
