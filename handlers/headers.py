"""The headers that every reply of ours carries, pages, data and files alike."""

from settings import Settings

PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
DATA_CSP = "default-src 'none'; frame-ancestors 'none'"


def default_headers(settings: Settings, csp: str) -> list[tuple[str, str]]:
    """What every reply of ours carries."""
    headers = [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Content-Security-Policy", csp),
        ("Cache-Control", "no-store"),
    ]
    if settings.public_url.startswith("https:"):
        headers.append(("Strict-Transport-Security", "max-age=31536000"))
    return headers
