"""Boards beside the first, in tests."""

from tests.support.admin import admin
from tests.support.people import Person

LISTED = "performance.getEntriesByName(location.origin + '/api/v1/boards').length > 0"
"""Whether a page has read the list of boards: what comes after is new to it."""


def promote(server, person):
    """Makes somebody a moderator, who may make boards."""
    admin(f"--database-url={server.settings['database_url']}", "promote", person.username)
    return person


def make_board(person, name, slug=None, **said):
    """Makes a board by the API; its slug."""
    fields = {"name": name} | ({"slug": slug} if slug else {}) | said
    response = person.api.post("/api/v1/boards", json=fields)
    assert response.status_code == 201, response.text
    return response.json()["slug"]


def post_on(client, slug, body, **fields):
    response = client.post(f"/api/v1/boards/{slug}/messages", json={"body": body} | fields)
    assert response.status_code == 201, response.text
    return response.json()


def invite(person, slug, username):
    response = person.api.put(f"/api/v1/boards/{slug}/members/{username}")
    assert response.status_code == 200, response.text


def make_club(start, **settings):
    """A site with boards for everyone, for members and for the invited: server, owner, somebody invited, slug of the last."""
    server = start(title="Riverside", **settings)
    owner, friend = promote(server, Person(server, name="Ada")), Person(server, name="Joe")
    make_board(owner, "Rowing", "rowing", about="When we row", rules="Be kind")
    make_board(owner, "Lounge", "lounge", read_by="members")
    hidden = make_board(owner, "Committee", read_by="invited")
    invite(owner, hidden, friend.username)
    for slug in ("rowing", "lounge", hidden):
        post_on(owner.api, slug, f"words on {slug}")
    return server, owner, friend, hidden
