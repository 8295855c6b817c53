package kvstore

import "fmt"

// Tx is the state as one operation sees it: what was there, with its own writes
// on top. It is valid during the operation only.
type Tx struct {
	store  *store
	writes map[string]write
	err    error // the first write that was out of bounds
}

// write is what becomes of a key.
type write struct {
	value   string
	deleted bool
	bucket  int // of the key
}

// Get reads a key.
func (t *Tx) Get(key string) (value string, ok bool) {
	if w, written := t.writes[key]; written {
		return w.value, !w.deleted
	}
	return t.store.get(key)
}

// Put writes a key. One out of bounds makes the operation fail in the end.
func (t *Tx) Put(key, value string) {
	switch {
	case len(key) == 0 || len(key) > KeyBytesMax:
		t.fail(fmt.Errorf("a key has 1 to %d bytes, not %d", KeyBytesMax, len(key)))
	case len(value) > ValueBytesMax:
		t.fail(fmt.Errorf("a value has at most %d bytes, not %d", ValueBytesMax, len(value)))
	default:
		t.set(key, write{value: value})
	}
}

// Delete removes a key, if it is there.
func (t *Tx) Delete(key string) { t.set(key, write{deleted: true}) }

func (t *Tx) set(key string, w write) {
	if t.writes == nil {
		t.writes = make(map[string]write)
	}
	w.bucket = bucketOf(key)
	t.writes[key] = w
}

func (t *Tx) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// commit makes the writes part of the state, all of them or, with an error, none.
func (t *Tx) commit(bytesMax int64) error {
	if t.err != nil {
		return t.err
	}
	after := t.store.bytes
	for key, w := range t.writes { // a sum, in any order
		if before, had := t.store.getIn(w.bucket, key); had {
			after -= size(key, before)
		}
		if !w.deleted {
			after += size(key, w.value)
		}
	}
	if after > bytesMax && after > t.store.bytes {
		return fmt.Errorf("the state would exceed its %d bytes: delete something first", bytesMax)
	}
	for key, w := range t.writes { // different keys, in any order
		t.store.set(key, w)
	}
	return nil
}

// reset throws the writes away.
func (t *Tx) reset() {
	clear(t.writes)
	t.err = nil
}
