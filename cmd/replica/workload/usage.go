package workload

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

// CPUSeconds is the processor time this process has used, its system calls
// included.
func CPUSeconds() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0 // it cannot fail with these arguments
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}

// PeakMemory is the largest this process has been in memory since ForgetPeak, or
// since its start; 0 where the system does not say.
func PeakMemory() int64 { return memoryOf("VmHWM:") }

// Memory is how large this process is in memory; 0 where the system does not say.
func Memory() int64 { return memoryOf("VmRSS:") }

func memoryOf(line string) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	return sizeOf(string(status), line)
}

// sizeOf reads a line as "VmHWM:   123 kB".
func sizeOf(status, name string) int64 {
	for line := range strings.Lines(status) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == name && fields[2] == "kB" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return 0
			}
			return kilobytes << 10
		}
	}
	return 0
}

// ForgetPeak gives memory that is not used back to the system and has the peak
// counted anew, so that one measurement does not show the peak of another. Where
// the system cannot, the peak is that of the whole process.
func ForgetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // only Linux has it
}
