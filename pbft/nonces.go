package pbft

import "math/bits"

// Nonces say where a creator stands in the client table.
type Nonces struct {
	// Base is the lowest nonce that may execute: those below are spent.
	Base uint64
	// Next is one above the highest that was executed; 0 if none was, or if the
	// creator is not known any more.
	Next uint64
	// Window is how many from Base on are told apart. One that is executed beyond
	// moves Base up; those from Base+2·Window on do not execute.
	Window uint64
}

// Nonces tells where a creator stands. [X2]
func (c *Clients) Nonces(creator Creator) Nonces {
	n := Nonces{Window: c.window}
	cl := c.byID[creator]
	if cl == nil {
		return n
	}
	n.Base, n.Next = cl.base, cl.base
	// From the end of the window down; 64 nonces that share a word end at a multiple
	// of 64, which the base need not be.
	for top := cl.base + c.window; top > cl.base; {
		first := max((top-1)&^63, cl.base)
		word := cl.bits[first%c.window/64] >> (first % 64)
		if width := top - first; width < 64 {
			word &= 1<<width - 1
		}
		if word != 0 {
			n.Next = first + uint64(bits.Len64(word))
			break
		}
		top = first
	}
	return n
}
