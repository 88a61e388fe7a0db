"""The only place that opens private files, writes atomically, locks, or starts a thread."""
