"""Edits of the roster's text that keep every byte outside of what they change."""
