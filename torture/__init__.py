"""A torture run: real servers under faults, and a check of everything that posters and readers saw. See bin/torture."""
