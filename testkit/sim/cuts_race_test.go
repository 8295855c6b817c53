//go:build race

package sim

const cutsDefault = 15
