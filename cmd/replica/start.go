package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/httpapi"
	"github.com/cretoai/consensus/replica/nodeconfig"
)

// stopTimeout bounds a clean stop.
const stopTimeout = 20 * time.Second

func newStartCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "start --home DIR",
		Short: "Run one replica until SIGINT or SIGTERM",
		Long: `Run one replica until SIGINT or SIGTERM.

DIR holds node.toml, which names everything else. The log goes to standard error.`,
		Example: "  replica start --home net/replica-0",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := loadHome(path)
			if err != nil {
				return err
			}
			return start(cmd.Context(), h, newLog(h.config.Log, cmd.ErrOrStderr()))
		},
	}
	addHomeFlag(cmd, &path)
	return cmd
}

// start runs a replica and its API until ctx ends or one of them fails.
func start(ctx context.Context, h *home, log zerolog.Logger) (err error) {
	r, err := replica.Start(ctx, h.replicaConfig(), replica.WithLogger(log), replica.WithVersion(softwareVersion()),
		replica.WithStateMachine(h.stateMachine(log)))
	if err != nil {
		return err
	}
	// Stopping the replica also ends the waiting of the API's requests, so the
	// API is shut down after it.
	stopAll := func(server *http.Server) error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		err := r.Stop(ctx)
		if server != nil {
			err = errors.Join(err, server.Shutdown(ctx))
		}
		return err
	}
	// The replica's folder says by now that it votes.
	if err := h.markUsed(); err != nil {
		return errors.Join(err, stopAll(nil))
	}
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", h.config.API.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("open the HTTP API: %w", err), stopAll(nil))
	}
	server := httpapi.NewServer(r, httpapi.Options{
		BodyBytesMax: h.config.API.MaxBodyBytes, Metrics: h.config.Metrics.Enabled,
		LocalOnly: httpapi.IsLoopback(listener.Addr()), Log: log,
		KeyValues: h.config.Consensus.StateMachine == nodeconfig.StateMachineKV,
	})
	if isTerminal(os.Stderr) {
		go new(transferBar).watch(os.Stderr, r, r.Done())
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info().Uint16("replica", uint16(r.Self())).Str("name", h.name()).Str("chain", h.genesis.ChainID).
		Stringer("genesis", h.genesis.Hash()).Str("peers", h.config.Network.Listen).
		Str("api", "http://"+listener.Addr().String()).Msg("replica started")

	select {
	case <-ctx.Done():
		log.Info().Msg("stopping")
	case <-r.Done():
		err = r.Err()
	case err = <-served:
		err = fmt.Errorf("serve the HTTP API: %w", err)
	}
	err = errors.Join(err, stopAll(server))
	if err == nil {
		log.Info().Msg("stopped")
	}
	return err
}
