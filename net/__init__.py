"""Sockets: listening, serving connections, and limiting them. No pages and no rules of the board."""
