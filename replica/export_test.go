package replica

// ReadLedgerOn is ReadLedger on another file system.
var ReadLedgerOn = readLedger

// InspectOn is Inspect on another file system.
var InspectOn = inspect
