// Package storage is the durable layer of a replica: the journal, the ledger
// that refers into it, a small key-value state, and the lock on the folder. It
// is byte-oriented: a record has a kind, a sequence number and bytes, and
// nothing here knows what a vote is.
//
// # The journal
//
// A journal is a folder of segments, files of a fixed size that are written
// with zeros before their first use. All of a segment is in pages of 4 KiB:
//
//	page 0          header: magic, version, segment, salt, size, chain, member, CRC
//	page 1 …        frames, each beginning on a page of its own
//	last page       summary: written when the segment is full, a shortcut only
//
// A frame holds one group of records, all that one flush made durable, and is
// whole or absent: one number, one CRC32C.
//
//	salt u64 | group u64 | length u32 | records u32 | reserved u32 | crc u32
//	  { crc u32 | length u32 | seq u64 | kind u8, 0, 0, 0 | data }…
//	zeros up to the next page
//
// Integers are big-endian. Frames start on pages because a disk writes pages:
// a write that is cut short can harm only the group being written, never one
// that was flushed before it. Group numbers rise by one, across segments too.
//
// They also begin on pages so that groups can be written past the page cache, from
// where they lie in memory. Journal.Direct says why, and where that is done.
//
// What follows the last group is either zeros or, in a recycled segment, what
// an earlier use left there. Old frames, and payloads that somebody shaped like
// frames, are told apart by the salt: eight random bytes that a segment is given
// anew for each use and that never leave this machine. They stand at the front
// of every frame and, with the segment's id, they seed its CRCs. So a dropped
// or recycled group does not come back, and recycling needs no second
// zero-filling.
//
// # Torn or corrupt
//
// A power cut can tear the last group only, the one whose flush had not
// returned. Nothing that depends on it has left the replica, so OpenJournal
// drops it. Its header page, if that is there, is zeroed, and its number goes
// to the next group. A damaged group with a whole one behind it, in its segment
// or in a later one, cannot come from a power cut, and neither can a bad header or
// a file of the wrong length, since both are durable before the file gets its
// name: those are a CorruptionError, and nothing is skipped. Before OpenJournal returns, the last group is written
// and flushed again: it may have been read from a page cache that a failed flush
// has left marked clean, and what Replay shows must not vanish later.
//
// # Why not the log writer of Pebble
//
// pebble/v2/record could carry the records, but not what is asked of them here.
// It cuts a record into chunks at every 32 KiB, with a header each, so a batch of
// 200 kB is not contiguous and cannot be read by reference with one read. Its
// checksum and its torn-tail rule are per record and chunk, whereas here the
// group is whole or absent: a bundle's signature covers all of it. It flushes
// from a goroutine of its own, which would take from the journal actor the
// decision of what a group is, and from the simulator the control of when it is
// written. And it marks a recycled log by the low 32 bits of a known log number,
// which a payload can imitate. Pebble's file systems (pebble/v2/vfs) are used
// throughout, so tests and the simulator run on vfs.NewCrashableMem.
//
// # The in-memory twin
//
// vfs.NewCrashableMem keeps a synced copy of each file and each directory, and
// CrashClone loses unsynced 4 KiB blocks and directory entries one by one.
// Three things to know: its Sync and SyncData both copy the whole file, data
// and length, so it is stricter than no disk in what a flush covers, and costs
// as much as the segment is large (use small segments); it loses directory
// entries independently, so a rename may show both names or neither; and a
// write is visible to it at once or not at all, so it has no torn pages.
package storage
