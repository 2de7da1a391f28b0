"""Sends the changes of boards to other sites. Nothing here is imported until a site has a webhook."""
