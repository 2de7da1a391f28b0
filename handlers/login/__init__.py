"""Logins by other sites: the flow, what a provider is, and each provider."""
