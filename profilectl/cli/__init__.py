"""The command line: thin commands over the services, and the one place that wires them."""
