"""A Facebook on this machine, for tests and for trying out. It imitates the part that logging in needs, as strictly as
the real one. The imitation shares no code with Longboard, so that both can't be wrong together.
"""
