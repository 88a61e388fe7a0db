"""Lists of people on the command line: a roster made of one, one read into a roster, a roster written as one."""
