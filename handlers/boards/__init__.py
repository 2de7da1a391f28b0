"""A board's page and its polls."""
