"""The ``doctor`` command; the face check, which sends a message, is loaded when it is asked for."""

from profilectl.cli.doctor.command import doctor

__all__ = ["doctor"]
