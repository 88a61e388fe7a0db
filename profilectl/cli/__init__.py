"""The command line: thin commands over the rooms, and the one place that wires them."""
