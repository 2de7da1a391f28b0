"""The 25 nastiest inputs and faults that a board on the open net meets: each a row, each with its right answer.

Every test is named by its row, and talks to a real server process. `bin/test tests/hostile/nastiest` runs them alone.
"""
