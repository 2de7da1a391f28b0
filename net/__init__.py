"""Sockets: what listens, what serves connections, what bounds them. No pages and no rules of the board."""
