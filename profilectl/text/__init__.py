"""What foreign text may be, and how it is shown."""
