package main

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

type point struct{ x, y float64 }

type series []point

// line is a series with its name.
type line struct {
	name   string
	points series
}

// axis is one of a chart's two. Its range is that of the points.
type axis struct {
	name string
	log  bool
	zero bool // begins at 0
}

// chart is a plot of lines.
type chart struct {
	title string
	x, y  axis
	lines []line
}

func (c chart) points() (n int) {
	for _, l := range c.lines {
		n += len(l.points)
	}
	return n
}

// Sizes in pixels, and the colours of lines, which those who see few colours can tell
// apart.
const (
	width, height           = 720, 420
	left, right, top, below = 80, 20, 40, 60
)

var colours = []string{"#0072b2", "#d55e00", "#56b4e9", "#e69f00"}

// draw writes the chart as SVG. The same chart is always the same bytes.
func (c chart) draw(w io.Writer) {
	x := c.scale(c.x, left, width-right, func(p point) float64 { return p.x })
	y := c.scale(c.y, height-below, top, func(p point) float64 { return p.y })
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(w, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	text(w, width/2, 20, "middle", c.title)
	for _, v := range x.ticks() {
		at := x.place(v)
		stroke(w, at, top, at, height-below, "#ddd")
		text(w, at, height-below+18, "middle", number(v))
	}
	for _, v := range y.ticks() {
		at := y.place(v)
		stroke(w, left, at, width-right, at, "#ddd")
		text(w, left-8, at+4, "end", number(v))
	}
	stroke(w, left, height-below, width-right, height-below, "black")
	stroke(w, left, top, left, height-below, "black")
	text(w, (left+width-right)/2, height-below+38, "middle", c.x.name)
	text(w, left, top-8, "middle", c.y.name)
	shown := 0
	for i, l := range c.lines {
		if len(l.points) == 0 {
			continue
		}
		colour := colours[i%len(colours)]
		var path strings.Builder
		for _, p := range l.points {
			fmt.Fprintf(&path, "%.1f,%.1f ", x.place(p.x), y.place(p.y))
		}
		fmt.Fprintf(w, `<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>`+"\n", colour, strings.TrimSpace(path.String()))
		for _, p := range l.points {
			fmt.Fprintf(w, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x.place(p.x), y.place(p.y), colour)
		}
		at := float64(left + 20 + 150*shown)
		stroke(w, at, height-12, at+20, height-12, colour)
		text(w, at+26, height-8, "start", l.name)
		shown++
	}
	fmt.Fprintln(w, "</svg>")
}

func text(w io.Writer, x, y float64, anchor, s string) {
	fmt.Fprintf(w, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, html.EscapeString(s))
}

func stroke(w io.Writer, x1, y1, x2, y2 float64, colour string) {
	fmt.Fprintf(w, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x1, y1, x2, y2, colour)
}

// number is short: 50000 is 50k.
func number(v float64) string {
	if v >= 10_000 {
		return fmt.Sprintf("%gk", v/1000)
	}
	return fmt.Sprintf("%g", v)
}

// scale places values of an axis between two ends in pixels.
type scale struct {
	axis
	low, high float64
	from, to  float64
}

func (c chart) scale(a axis, from, to float64, of func(point) float64) scale {
	s := scale{a, math.Inf(1), math.Inf(-1), from, to}
	for _, l := range c.lines {
		for _, p := range l.points {
			s.low, s.high = min(s.low, of(p)), max(s.high, of(p))
		}
	}
	switch {
	case a.log:
		s.low, s.high = math.Max(s.low, 1e-3)/1.2, s.high*1.2
	case a.zero:
		s.low, s.high = 0, s.high*1.05
	default:
		margin := math.Max((s.high-s.low)*0.05, 1e-9)
		s.low, s.high = s.low-margin, s.high+margin
	}
	return s
}

func (s scale) place(v float64) float64 {
	share := (v - s.low) / (s.high - s.low)
	if s.log {
		share = math.Log(math.Max(v, s.low)/s.low) / math.Log(s.high/s.low)
	}
	return s.from + share*(s.to-s.from)
}

// ticks are round values within the range: 1, 2 and 5 of each power of ten on a
// logarithmic axis, some eight steps of such a size on another.
func (s scale) ticks() (list []float64) {
	if s.log {
		for power := math.Floor(math.Log10(s.low)); power <= math.Log10(s.high); power++ {
			for _, m := range []float64{1, 2, 5} {
				if v := m * math.Pow(10, power); v >= s.low && v <= s.high {
					list = append(list, v)
				}
			}
		}
		return list
	}
	raw := (s.high - s.low) / 8
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*step >= raw {
			step *= m
			break
		}
	}
	for k := math.Ceil(s.low / step); k*step <= s.high; k++ {
		list = append(list, k*step+0) // -0 + 0 is 0
	}
	return list
}
