"""Acting on a plan: X is made equal to the roster, and nothing is lost on the way."""
