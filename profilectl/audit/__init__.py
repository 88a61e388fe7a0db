"""The record: a chain of events, each sealed with the hash of the one before."""
