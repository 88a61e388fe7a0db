"""One completion script per shell, each made from the same command tree and complete in itself.

Nothing here runs at TAB: the scripts hold the whole tree, so that a shell never has to start Python to complete.
"""
