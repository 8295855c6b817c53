package sim

import (
	"fmt"

	"github.com/cretoai/consensus/messages"
)

// describe says what is in a frame.
func describe(frame []byte) string {
	m, err := messages.DecodeFrame(frame)
	if err != nil {
		return err.Error()
	}
	switch m := m.(type) {
	case *messages.Bundles:
		text := "votes"
		for _, bundle := range m.Bundles {
			text += fmt.Sprintf(" of %d %v", bundle.From, bundle.Votes)
		}
		return text
	case *messages.Status:
		text := fmt.Sprintf("status: view %d (active: %v, suspects %d: %v), stable %d, executed %d",
			m.View, m.Active, m.Suspects, m.Suspicion, m.Low, m.Executed)
		for _, slot := range m.Slots {
			text += fmt.Sprintf("; %d: batch %v, prepares %b, commits %b", slot.Seq, slot.HasBatch, slot.Prepares, slot.Commits)
		}
		return text
	case *messages.ViewChangeMessage:
		return fmt.Sprintf("view-change of %d to view %d from %d, prepared %v", m.Bundle.From, m.Body.View, m.Body.Low, m.Body.Prepared)
	case *messages.NewViewMessage:
		return fmt.Sprintf("new-view of %d: view %d from %d, list %v", m.Bundle.From, m.Body.View, m.Body.MinS, m.Body.List)
	case *messages.Decided:
		return fmt.Sprintf("decided: sequence %d", m.Seq)
	case *messages.StableCheckpoint:
		return fmt.Sprintf("stable checkpoint %d", m.Seq)
	case *messages.FetchDecided:
		return fmt.Sprintf("wanted: sequences %d to %d", m.From, m.To)
	}
	return fmt.Sprintf("%T", m)
}
