"""Timestamp authorities: the same transport and bounds as for X, other hosts, no credentials."""
