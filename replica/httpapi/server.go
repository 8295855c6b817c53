package httpapi

import (
	stdlog "log"
	"net"
	"net/http"
	"time"
)

// The patience of a server. Writing an answer may have to wait for finality.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 30 * time.Second
	writeTimeout   = waitMax + readTimeout
	idleTimeout    = time.Minute
	headerBytesMax = 16 << 10
)

// NewServer serves the API; call its Serve with a listener, and Shutdown after
// the replica was stopped, which ends all waiting.
func NewServer(door Door, o Options) *http.Server {
	return &http.Server{
		Handler:           NewHandler(door, o),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytesMax,
		ErrorLog:          stdlog.New(o.Log, "", 0),
	}
}

// IsLoopback reports whether a listener takes connections of this machine only.
func IsLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
