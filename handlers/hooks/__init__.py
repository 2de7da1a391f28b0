"""Incoming webhooks: where they are posted to, their page, and their API."""
