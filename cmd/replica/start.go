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

	"github.com/cretoai/consensus/cmd/replica/home"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/httpapi"
	"github.com/cretoai/consensus/replica/nodeconfig"
	"github.com/cretoai/consensus/replica/testnet"
)

// stopTimeout bounds a clean stop.
const stopTimeout = 20 * time.Second

func newStartCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "start --home DIR",
		Short: "Run one replica until SIGINT, SIGTERM or SIGHUP",
		Long: `Run one replica until SIGINT, SIGTERM or SIGHUP.

DIR holds node.toml, which names everything else. The log goes to standard error.`,
		Example: "  replica start --home net/replica-0",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := home.Load(path)
			if err != nil {
				return err
			}
			replica.SpareProcessors()
			return start(cmd.Context(), h, newLog(h.Config.Log, cmd.ErrOrStderr()))
		},
	}
	addHomeFlag(cmd, &path)
	return cmd
}

func addHomeFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "home", "", "folder of the replica, with its "+testnet.ConfigFile)
	if err := cmd.MarkFlagRequired("home"); err != nil {
		panic(err) // the flag was defined in the line above
	}
	if err := cmd.MarkFlagDirname("home"); err != nil {
		panic(err)
	}
}

// start runs a replica and its API until ctx ends or one of them fails.
func start(ctx context.Context, h *home.Home, log zerolog.Logger) (err error) {
	r, err := replica.Start(ctx, h.ReplicaConfig(), replica.WithLogger(log), replica.WithVersion(softwareVersion()),
		replica.WithStateMachine(h.StateMachine(log)))
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
	if err := h.MarkUsed(); err != nil {
		return errors.Join(err, stopAll(nil))
	}
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", h.Config.API.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("open the HTTP API: %w", err), stopAll(nil))
	}
	server := httpapi.NewServer(r, httpapi.Options{
		BodyBytesMax: h.Config.API.MaxBodyBytes, Metrics: h.Config.Metrics.Enabled,
		LocalOnly: httpapi.IsLoopback(listener.Addr()), Log: log,
		KeyValues: h.Config.Consensus.StateMachine == nodeconfig.StateMachineKV,
	})
	if isTerminal(os.Stderr) {
		go new(transferBar).watch(os.Stderr, r, r.Done())
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info().Uint16("replica", uint16(r.Self())).Str("name", h.Name()).Str("chain", h.Genesis.ChainID).
		Stringer("genesis", h.Genesis.Hash()).Str("peers", h.Config.Network.Listen).
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
