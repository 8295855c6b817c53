package actors

import "github.com/cretoai/consensus/messages"

// tellKeyElsewhere tells metrics and embedders that the own key signed what this
// replica did not. A crash is no reason for it: what was signed is in the record. [D3]
func (t *Tree) tellKeyElsewhere(votes ...messages.Vote) {
	_, observing := t.Observing()
	t.cfg.Metrics.KeyElsewhere()
	t.hub.publish(messages.KeyUsedElsewhere{Votes: votes, Observing: observing})
}

// convictedItself says what it means that new evidence is against the own key. It is
// told once: what is in the state store already is not new. A replica that lost its
// disk hears again what was held against its former life. [D4]
func (t *Tree) convictedItself(votes ...messages.Vote) {
	if _, observing := t.Observing(); observing {
		t.log.Warn().Msg("this replica's own key signed that, before the disk was lost or in another process that has the key: " +
			"make sure that there is none; meanwhile this replica observes")
	} else {
		t.log.Error().Msg("this replica's own key signed that: another process uses the key, or the disk was set back. " +
			"Stop this replica and make sure that one alone runs with the key")
	}
	t.tellKeyElsewhere(votes...)
}
