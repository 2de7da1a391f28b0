"""The form of slugs: the names of boards in addresses."""

import re

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
RESERVED = {"all", "first", "new"}
"""Words that an address may need for something else."""
WORDS = "A board's short name has 1 to 40 letters of a to z, digits, and hyphens between them."


def clean_slug(text: str) -> str:
    """Returns the slug in small letters. Raises ValueError for any other character: two slugs never look alike."""
    slug = text.lower() if text.isascii() else ""
    if not SLUG.fullmatch(slug) or slug in RESERVED:
        raise ValueError(WORDS)
    return slug
