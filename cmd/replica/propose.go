package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica/httpapi"
)

// proposeOptions are the flags of propose.
type proposeOptions struct {
	api    string
	file   string
	key    string
	chain  string // path of its genesis file
	count  int
	size   int // bytes
	wait   time.Duration
	asJSON bool
}

func newProposeCommand() *cobra.Command {
	var o proposeOptions
	cmd := &cobra.Command{
		Use:   "propose [PAYLOAD]",
		Short: "Have a payload finalised, or many random ones",
		Long: `Have a payload finalised, or many random ones.

The payload is the argument, or what --file holds; "-" is standard input. With
--count, so many vertices of --size random bytes are proposed instead. The
command waits until all are final and prints where they stand in the ledger.

On a chain whose genesis says require_vertex_signatures, --key names the file of the
creator's key. What is proposed is signed here, many vertices with one signature, and
the key stays here. Nonces follow on the highest that was executed, so one key is
used by one command at a time.`,
		Example: `  replica propose "hello"
  replica propose --file photo.jpg --api http://127.0.0.1:7011
  replica propose --count 10000 --size 256
  replica propose --key net/creator.key --genesis net/genesis.json "hello"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.validate(cmd, args); err != nil {
				return usage(cmd, err)
			}
			c, err := newClient(o.api)
			if err != nil {
				return err
			}
			var payload []byte
			if o.count == 0 {
				if payload, err = o.readPayload(cmd.InOrStdin(), args); err != nil {
					return err
				}
			}
			var s *signer
			if o.key != "" {
				if s, err = newSigner(cmd.Context(), c, o.key, o.chain); err != nil {
					return err
				}
			}
			if o.count > 0 {
				return proposeMany(cmd.Context(), c, o, s, cmd.OutOrStdout())
			}
			return proposeOne(cmd.Context(), c, o, s, payload, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	addAPIFlag(cmd, &o.api)
	f.StringVar(&o.file, "file", "", `file with the payload; "-" is standard input`)
	f.StringVar(&o.key, "key", "", "file of a creator's key to sign with")
	f.StringVar(&o.chain, "genesis", "", "genesis file of the chain to sign for (default: the chain the replica says it is on)")
	f.IntVar(&o.count, "count", 0, "number of random vertices to propose")
	f.IntVar(&o.size, "size", 256, "size of a random payload in bytes")
	f.DurationVar(&o.wait, "wait", 30*time.Second, "how long to wait for finality, at most 5m")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	return cmd
}

func (o proposeOptions) validate(cmd *cobra.Command, args []string) error {
	given := 0
	for _, yes := range []bool{len(args) > 0, o.file != "", cmd.Flags().Changed("count")} {
		if yes {
			given++
		}
	}
	switch {
	case given != 1:
		return errors.New("one of PAYLOAD, --file and --count is needed")
	case cmd.Flags().Changed("count") && o.count < 1:
		return fmt.Errorf("--count %d: at least 1 is needed", o.count)
	case o.chain != "" && o.key == "":
		return errors.New("--genesis says what --key signs for: give both")
	case o.size < 1 || o.size > payloadMax:
		return fmt.Errorf("--size %d: 1 to %d bytes are allowed", o.size, payloadMax)
	case o.wait <= 0 || o.wait > 5*time.Minute:
		return fmt.Errorf("--wait %v: a time above 0 and at most 5m is allowed", o.wait)
	}
	return nil
}

// payloadMax leaves room for the header of a vertex.
const payloadMax = messages.VertexBytesMax - messages.VertexHeaderBytes

// readPayload reads one byte more than fits, so that the replica's refusal of
// what is too large is what the user sees.
func (o proposeOptions) readPayload(in io.Reader, args []string) ([]byte, error) {
	if len(args) > 0 {
		return []byte(args[0]), nil
	}
	if o.file == "-" {
		return readLimited(in, "standard input")
	}
	f, err := os.Open(o.file)
	if err != nil {
		return nil, fmt.Errorf("read the payload: %w", err)
	}
	defer f.Close()
	return readLimited(f, o.file)
}

func readLimited(r io.Reader, name string) ([]byte, error) {
	payload, err := io.ReadAll(io.LimitReader(r, payloadMax+1))
	if err != nil {
		return nil, fmt.Errorf("read the payload: %w", err)
	}
	if len(payload) > payloadMax {
		return nil, hint(fmt.Errorf("%s has more than the %d bytes of a payload", name, payloadMax), "split it, or propose its hash")
	}
	return payload, nil
}

func proposeOne(ctx context.Context, c *client, o proposeOptions, s *signer, payload []byte, out io.Writer) error {
	r, err := proposePayload(ctx, c, o, s, payload)
	if err != nil {
		return err
	}
	if o.asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	if _, err := fmt.Fprintf(out, "vertex %s\nfinal at sequence %d, position %d, in view %d\n", r.Vertex.Hex(), r.Sequence, r.Position, r.View); err != nil {
		return err
	}
	if r.NoOp != "" {
		return fmt.Errorf("the vertex was executed without effect: %s", r.NoOp)
	}
	if r.Failed {
		return fmt.Errorf("the vertex failed when it was executed: %s", r.Reason)
	}
	return nil
}

// proposePayload proposes a payload, signed if there is a signer.
func proposePayload(ctx context.Context, c *client, o proposeOptions, s *signer, payload []byte) (r httpapi.Receipt, err error) {
	if s == nil {
		err = c.propose(ctx, "application/octet-stream", payload, o.wait, &r)
		return r, err
	}
	body, err := s.body([][]byte{payload})
	if err != nil {
		return r, err
	}
	var receipts []httpapi.Receipt
	if err := c.propose(ctx, "application/json", body, o.wait, &receipts); err != nil {
		return r, err
	}
	if len(receipts) != 1 {
		return r, fmt.Errorf("the replica answered with %d receipts to one vertex", len(receipts))
	}
	return receipts[0], nil
}

// manyResult is the outcome of --count.
type manyResult struct {
	Vertices          int          `json:"vertices"`
	Finalized         int          `json:"finalized"`
	ElapsedSeconds    float64      `json:"elapsed_seconds"`
	VerticesPerSecond float64      `json:"vertices_per_second"`
	FirstSequence     messages.Seq `json:"first_sequence"`
	LastSequence      messages.Seq `json:"last_sequence"`
}

// proposeMany sends random vertices, some requests at a time.
func proposeMany(ctx context.Context, c *client, o proposeOptions, s *signer, out io.Writer) error {
	begin := time.Now()
	receipts, err := proposeGroups(ctx, c, o, s)
	if err != nil {
		return err
	}
	elapsed := time.Since(begin).Seconds()
	result := manyResult{Vertices: o.count, ElapsedSeconds: elapsed}
	fresh := slices.DeleteFunc(receipts, func(r httpapi.Receipt) bool { return r.NoOp != "" || r.Failed })
	result.Finalized, result.VerticesPerSecond = len(fresh), float64(len(fresh))/elapsed
	for i, r := range fresh {
		if i == 0 || r.Sequence < result.FirstSequence {
			result.FirstSequence = r.Sequence
		}
		result.LastSequence = max(result.LastSequence, r.Sequence)
	}
	if o.asJSON {
		err = json.NewEncoder(out).Encode(result)
	} else {
		_, err = fmt.Fprintf(out, "%d of %d vertices final in %.2f s: %.0f vertices/s\nsequences %d to %d\n",
			result.Finalized, result.Vertices, elapsed, result.VerticesPerSecond, result.FirstSequence, result.LastSequence)
	}
	if err == nil && result.Finalized != o.count {
		err = fmt.Errorf("%d of %d vertices were executed without effect", o.count-result.Finalized, o.count)
	}
	return err
}

// randomPayloads draws n payloads.
func randomPayloads(n, size int) ([][]byte, error) {
	slab := make([]byte, n*size)
	if _, err := rand.Read(slab); err != nil {
		return nil, fmt.Errorf("draw payloads: %w", err)
	}
	payloads := make([][]byte, n)
	for i := range payloads {
		payloads[i] = slab[i*size : (i+1)*size]
	}
	return payloads, nil
}
