//go:build !race

package leader

const raceShare = 1
