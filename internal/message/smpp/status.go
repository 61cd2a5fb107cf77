package smpp

import "fmt"

// Status is a command_status (5.1.3).
type Status uint32

// The statuses that we tell apart.
const (
	OK              Status = 0x00
	InvalidCommand  Status = 0x03
	BindState       Status = 0x04 // incorrect bind status for the command
	AlreadyBound    Status = 0x05
	SystemError     Status = 0x08
	BadSource       Status = 0x0a
	BadDestination  Status = 0x0b
	BindFailed      Status = 0x0d
	BadPassword     Status = 0x0e
	BadSystemID     Status = 0x0f
	QueueFull       Status = 0x14
	Throttled       Status = 0x58
	TryLater        Status = 0x64 // ESME_RX_T_APPN: temporary
	NotReceived     Status = 0x65 // ESME_RX_P_APPN: permanent
	DeliveryFailure Status = 0xfe
	Unknown         Status = 0xff
)

var names = map[Status]string{
	OK: "ESME_ROK", InvalidCommand: "ESME_RINVCMDID", BindState: "ESME_RINVBNDSTS", AlreadyBound: "ESME_RALYBND", SystemError: "ESME_RSYSERR",
	BadSource: "ESME_RINVSRCADR", BadDestination: "ESME_RINVDSTADR", BindFailed: "ESME_RBINDFAIL", BadPassword: "ESME_RINVPASWD",
	BadSystemID: "ESME_RINVSYSID", QueueFull: "ESME_RMSGQFUL", Throttled: "ESME_RTHROTTLED", TryLater: "ESME_RX_T_APPN",
	NotReceived: "ESME_RX_P_APPN", DeliveryFailure: "ESME_RDELIVERYFAILURE", Unknown: "ESME_RUNKNOWNERR",
}

func (s Status) String() string {
	if name, ok := names[s]; ok {
		return name
	}
	return fmt.Sprintf("0x%08x", uint32(s))
}

// Slower says whether the centre only wants less at a time.
func (s Status) Slower() bool { return s == Throttled || s == QueueFull }

// Temporary says whether the same may be taken later. What we do not know is permanent: it is said to people, not tried for ever.
func (s Status) Temporary() bool {
	return s.Slower() || s == SystemError || s == TryLater || s == BindState || s == Unknown
}

// StatusError is an answer other than OK.
type StatusError struct {
	Command Command // what was answered
	Status  Status
}

func (e *StatusError) Error() string {
	what := "command"
	switch e.Command {
	case BindTransceiver:
		what = "bind"
	case SubmitSM:
		what = "message"
	}
	return fmt.Sprintf("smpp: the centre refuses the %s: %s", what, e.Status)
}
