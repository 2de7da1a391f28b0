"""Signing up, in and out, and what members do with their accounts."""
