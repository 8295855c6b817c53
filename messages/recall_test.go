package messages

import "math"

func smallRecall() map[FrameKind]Message {
	return map[FrameKind]Message{
		FrameRecall:   &Recall{Instance: [16]byte{2}},
		FrameRecalled: &Recalled{Instance: [16]byte{2}, Executed: 129, View: 4, Nothing: true},
	}
}

func largestRecall() map[FrameKind]Message {
	return map[FrameKind]Message{
		FrameRecall:   &Recall{Instance: [16]byte{15: 255}},
		FrameRecalled: &Recalled{Instance: [16]byte{15: 255}, Executed: math.MaxUint64, View: math.MaxUint64},
	}
}

// recallSpoils is the part of TestValidate that is about recalling.
func recallSpoils() []spoil {
	return []spoil{
		{"asked by no instance", on(FrameRecall, func(m *Recall) { m.Instance = [16]byte{} }), FrameRecall},
		{"answered to no instance", on(FrameRecalled, func(m *Recalled) { m.Instance = [16]byte{} }), FrameRecalled},
	}
}
