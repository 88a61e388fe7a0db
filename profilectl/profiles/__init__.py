"""What is at X and whose it is: ownership, recovery, offboarding."""
