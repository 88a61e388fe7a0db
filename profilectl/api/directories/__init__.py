"""Directories of people: the same transport and bounds as for X, other hosts, other tokens."""
