"""The record for people: answers to questions, checkpoints, what was pruned, and the page of a period."""
