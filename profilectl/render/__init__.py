"""How results look: tables and the bubble on a terminal, JSON for scripts, HTML for everybody else."""
