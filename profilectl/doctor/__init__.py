"""Checks of this machine and its accounts, as values."""
