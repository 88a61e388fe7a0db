"""Lists of people become entries of the roster: tables, their columns, keys, pictures, and the edit itself."""
