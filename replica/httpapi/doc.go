// Package httpapi puts HTTP in front of a replica:
//
//	POST /v1/vertices  propose; answers when what was proposed is final
//	POST /v1/vertices:batch  propose many; receipts stream back meanwhile
//	GET  /v1/vertices/{hash}  a vertex of the ledger, with its receipt
//	GET  /v1/creators/{creator}  which nonces a creator may use
//	GET  /v1/receipts/{hash}  its proof of finality, see "replica verify receipt"
//	GET  /v1/ledger    what was decided, ?from= a sequence on, at most ?limit= of them
//	GET  /v1/kv/{key}  a key's value; PUT writes it, DELETE removes it; if that is
//	                   what the replica executes
//	GET  /v1/status    where the replica and its peers stand
//	GET  /v1/bans      whom the replica has banned, and why
//	DELETE /v1/bans/N  lift the ban of member N; on a loopback address only
//	GET  /v1/evidence  the evidence it holds; /v1/evidence/FILE is one file
//	GET  /healthz      200 while the replica works, 503 with the reason otherwise
//	GET  /readyz       200 while it can be expected to finalise, 503 otherwise
//	GET  /metrics      Prometheus, if enabled
//
// docs/reference.md has what each of them answers.
//
// A body of type application/octet-stream is the payload of one vertex, whose other
// fields may be in the query, and its creator's signature in the header
// Vertex-Authorisation. One of type application/json is a vertex, see Vertex, an
// array of them, or a Group. The answer is a Receipt or an array of them; ?wait=5s says how long to wait for it.
// Errors are an Error, as JSON too, with the hashes of what was taken and has no receipt
// yet; 503 says that this replica has stopped, has halted,
// for the reason told, or is asked too much at once.
//
// A batch is a stream of vertices without an end of its own, as application/msgpack or
// application/x-ndjson, see Format; the answer is a stream of short receipts in the same
// format, see BatchReceipt, in the order of the vertices. Each is written as soon as
// those before it are, while later vertices are still read: whoever sends is to receive
// at the same time. A vertex that is refused has a receipt that says so, and no effect
// on others; where msgpack is malformed, or a line too long, the batch ends after
// that receipt. ?wait=5s bounds the waiting for each vertex. A batch that sends
// nothing for a minute ends, and so does one whose receipts are not taken for half a
// minute; Batch is a client.
//
// The key-value store's values are bodies as they are. All its requests are
// ordered like any vertex, reads too, and answered when they are final. A PUT
// with If-None-Match: * writes only where nothing is, one with ?expect= and
// base64 only over that value; otherwise the answer is 412 with what is there.
//
// There is no authentication. What protects a replica from web pages open in a
// browser on the same machine is that no other content type is taken, for a
// page cannot send these two elsewhere unasked, nor a DELETE, and that on a
// loopback address requests for any other host name are refused.
package httpapi
