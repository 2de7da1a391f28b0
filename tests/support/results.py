"""What a search has found, as its page shows it."""

import html
import re


def pages_of_results(server, path):
    """Yields the page at this path, and those to which its link to older results leads."""
    while path:
        page = server.get(path).text
        yield page
        older = re.search(r'<p class="older"><a href="([^"]+)"', page)
        path = older and html.unescape(older[1])
