"""What a command's context is made of: settings, then the ledger, then the roster with its pictures."""
