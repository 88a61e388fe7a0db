"""Carrying out a plan: X is made equal to the roster, and what goes unanswered is settled."""
