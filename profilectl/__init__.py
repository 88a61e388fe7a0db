"""profilectl: decide who your customers see in X Direct Messages."""

__version__ = "0.1.0"
