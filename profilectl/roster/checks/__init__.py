"""What `roster check` looks at beyond single values: its rules by their ids, waivers, and names that look alike."""
