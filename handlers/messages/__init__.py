"""Posting, reading and searching messages, and rendering them."""
