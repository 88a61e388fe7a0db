"""One completion script per shell, each made from the same command tree and complete in itself.

Nothing here runs at TAB: the scripts hold the whole tree. Only for the names in a roster and its ledger they start the
program on the line, as ``profilectl __complete agents|brands|profiles WORD...``, which `names` answers.
"""
