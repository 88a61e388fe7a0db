"""The sandbox's wire: routes, signatures, faults, and answers as X writes them."""
