"""Who may do what on this machine: root's policy, and the file that says it."""
