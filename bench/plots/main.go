package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", ".", "folder to write the plots to")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: plots [-out DIR] < lines of replica bench --json")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(os.Stdin, *out); err != nil {
		fmt.Fprintln(os.Stderr, "plots: error:", err)
		os.Exit(1)
	}
}

// run draws what the measurements suffice for.
func run(in io.Reader, dir string) error {
	list, err := read(in)
	if err != nil {
		return err
	}
	drawn := 0
	for name, c := range charts(list) {
		if c.points() == 0 {
			continue
		}
		if err := writeChart(filepath.Join(dir, name+".svg"), c); err != nil {
			return err
		}
		drawn++
	}
	if drawn == 0 {
		return errors.New("no series of measurements to draw")
	}
	return nil
}

func writeChart(path string, c chart) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write a plot: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	c.draw(w)
	return w.Flush()
}
