"""What is compressed, and what never is."""

import pytest

from handlers.static import static_url


def sizes(server, path, **headers):
    response = server.get(path, headers={"Accept-Encoding": "gzip", **headers})
    assert response.status_code == 200, path
    return response, response.num_bytes_downloaded, len(response.content)


@pytest.mark.parametrize("path", ["/", "/search", "board.js", "board.css"])
def test_pages_styles_and_scripts_are_compressed(server, path):
    """To a client that takes it, they are a fraction of their size; and a cache in between is told."""
    for number in range(20):
        server.post(f"number {number}, and some words that come again and again and again")
    path = path if path.startswith("/") else static_url(path)
    response, wire, whole = sizes(server, path)
    assert response.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in response.headers["Vary"]
    assert wire < whole * 0.6
    plain = server.get(path, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers and len(plain.content) == pytest.approx(whole, rel=0.05)


@pytest.mark.parametrize("path", ["/get", "/api/v1/messages", "/api/v1/openapi.json", "/healthz"])
def test_replies_to_programs_and_polls_are_not(server, path):
    """They are the same bytes for everyone, ready before anyone asks."""
    for number in range(50):
        server.post(f"number {number}, and some words that come again and again and again")
    response, wire, whole = sizes(server, path)
    assert "Content-Encoding" not in response.headers and "Vary" not in response.headers and wire == whole


def test_a_part_of_a_file_is_that_part(server):
    """Who asks for a range gets these bytes as they are."""
    path = static_url("board.js")
    whole = server.get(path, headers={"Accept-Encoding": "identity"}).content
    part = server.get(path, headers={"Accept-Encoding": "gzip", "Range": "bytes=100-1999"})
    assert part.status_code == 206 and "Content-Encoding" not in part.headers
    assert part.content == whole[100:2000]
