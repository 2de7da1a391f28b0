"""A Facebook on this machine, for tests and for trying out. It imitates the part that logging in needs, as strictly
as the real one, and knows nothing of Longboard: not a line is shared, so that both can't be wrong together.
"""
