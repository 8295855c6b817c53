package replica

// ReadLedgerOn is ReadLedger on another file system.
var ReadLedgerOn = readLedger
