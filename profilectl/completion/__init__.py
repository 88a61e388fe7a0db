"""Completion scripts and the man page, made from the command tree; `names` answers what the scripts ask at TAB."""
