"""What the tests of several boards share."""

import pytest

from tests.browser.test_tabs import TOKEN
from tests.support.boards import invite, make_board, post_on, promote
from tests.support.people import Person


@pytest.fixture
def club(start):
    """A site with boards for everyone, for members and for the invited: server, owner, somebody invited, slug of the last."""
    server = start(title="Riverside", metrics_token=TOKEN)
    owner, friend = promote(server, Person(server, name="Ada")), Person(server, name="Joe")
    make_board(owner, "Rowing", "rowing", about="When we row", rules="Be kind")
    make_board(owner, "Lounge", "lounge", read_by="members")
    hidden = make_board(owner, "Committee", read_by="invited")
    invite(owner, hidden, friend.username)
    for slug in ("rowing", "lounge", hidden):
        post_on(owner.api, slug, f"words on {slug}")
    return server, owner, friend, hidden
