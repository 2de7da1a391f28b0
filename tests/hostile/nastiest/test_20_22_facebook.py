"""Rows 20 and 22: the way back from Facebook, with a state that is none, a denial, or somewhere else to go."""

# ruff: noqa: F811 (fixtures)
import html
import re

import pytest

from tests.http.test_facebook import both, facebook, location, problem  # noqa: F401 (fixtures)
from tests.support.facebook import begin, log_in, query_of, signed_in_as


def test_20_cancelling_is_no_error_of_anybody(both):
    """A friendly page, no account; and trying again works, with where one wanted to go kept."""
    board, fake = both
    browser = board.open()
    response = log_in(browser, fake, path="/facebook/start?next=/account", answer="cancel")
    assert "cancelled" in problem(response, 403)
    again = html.unescape(re.search(r'href="(/facebook/start[^"]*)"', response.text)[1])
    assert signed_in_as(browser) is None
    log_in(browser, fake, path=again)
    assert signed_in_as(browser)["name"] == "Ada Lovelace"


def test_20_a_state_is_good_once_in_its_browser_and_in_time(both):
    """Missing, foreign and replayed ones give no session, also with the cookie put back."""
    board, fake = both
    browser, other = board.open(), board.open()
    begin(other)
    back = fake.answer(begin(browser))
    name = f"longboard-{board.port}-facebook"
    cookie = {name: browser.cookies[name]}
    for url in (back.replace("state=", "status="), back[:-1] + ("A" if back[-1] != "A" else "B"), back + "%ff"):
        problem(browser.get(url), 400)
    problem(other.get(back), 400)
    problem(board.open().get(back), 400)
    assert browser.head(back).status_code == 405
    assert location(browser.get(back))
    problem(browser.get(back), 400)
    problem(board.open(cookies=cookie).get(back), 400)
    forged = re.sub(r"\|([^|])", lambda m: "|" + ("0" if m[1] != "0" else "1"), cookie[name][::-1], count=1)
    problem(board.open(cookies={name: forged[::-1]}).get(back), 400)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("error=access_denied&error_code=200&error_reason=user_denied", 403),
        ("error_code=901&error_message=This+app+is+in+sandbox+mode", 502),
        ("error=server_error", 502), ("", 502), ("code=", 502), ("code=not-a-code-of-facebook", 502),
        ("code=%ff", 400), ("code=x&error_code=1", 502), ("code=" + "x" * 3000, 502),
    ],
)  # fmt: skip
def test_20_whatever_facebook_sends_back_with_there_is_a_friendly_page(both, query, status):
    """A denial, 901 without an error, junk: no session, no account, no trace of the code in the log."""
    board, _ = both
    state = query_of(begin(board.client))["state"]
    problem(board.client.get(f"/facebook/callback?state={state}&{query}"), status)
    assert signed_in_as(board.client) is None


@pytest.mark.parametrize("target", ["//e", "/\\e", "/%09/e", "https:e", "/%0d%0aX:y", "e", "", "/" + "x" * 600])
def test_22_nobody_is_sent_elsewhere_after_facebook(both, target):
    """`next` leads to a page of this board."""
    board, fake = both
    browser = board.open()
    log_in(browser, fake)
    assert location(log_in(browser, fake, path=f"/facebook/start?next={target}")) == "/#"
