"""bin/admin boards: the operator sees all boards, and may do all with them."""

import pytest

from storage import open_storage
from storage.records import Password
from tests.support.admin import admin


@pytest.fixture
async def boards(url):
    """Calls `boards` on a new site with two members, on each engine in turn."""
    storage = await open_storage(url)
    for name in ("ada", "bob"):
        await storage.create_account(name, name.capitalize(), Password("a hash"))
    await storage.close()
    return lambda *arguments, check=0: admin(f"--database-url={url}", "boards", *arguments, check=check)


def test_a_board_is_made_changed_and_deleted(boards):
    """Each action says what is so then."""
    assert boards().stdout == boards("list").stdout == "0 boards beside the first.\n"
    made = boards("make", "Rowing", "All boats", "--about=Boats.", "--write-by=members", "--owner=ada").stdout
    assert made.split() == ["rowing", "All", "boats", "read", "by", "everyone,", "written", "by", "members"]
    assert "1 board beside" in boards().stdout and "rowing" in boards().stdout and "no message" in boards().stdout
    assert boards("change", "ROWING", "--slug=boats", "--name=Boats").stdout.startswith("boats ")
    assert "oldest first" in boards("change", "boats", "--order=oldest").stdout
    assert "oldest first" not in boards("change", "boats", "--order=newest").stdout
    assert "archived" in boards("archive", "rowing").stdout and "archived" in boards().stdout
    assert "archived" not in boards("unarchive", "boats").stdout
    assert "another name" in boards("delete", "boats", "boats", check=1).stderr
    assert "is deleted" in boards("delete", "boats", "Boats").stdout and boards().stdout.startswith("0 boards")
    assert "no board boats" in boards("archive", "boats", check=1).stderr


def test_a_board_of_the_invited_is_seen_and_given_to_somebody(boards):
    """Also one whose owner has left: nobody else could."""
    slug = boards("make", "any", "Hidden", "--read-by=invited").stdout.split()[0]
    assert len(slug) == 20 and slug in boards().stdout
    assert boards("invite", slug, "bob").stdout == f"bob is invited to {slug}.\n"
    assert boards("members", slug).stdout.split() == ["bob", "Bob"]
    assert boards("owner", slug, "ada").stdout == f"ada owns {slug}.\n"
    assert boards("uninvite", slug, "bob").stdout == f"bob has no invitation to {slug}.\n"
    assert boards("members", slug).stdout == ""


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("make", "all", "X"), 1, "1 to 40 letters"), (("make", "x", " "), 1, "1 to 80 characters"),
        (("make", "x", "X", "--owner=nobody"), 1, "no account nobody"), (("make", "taken", "X"), 1, "another board has"),
        (("change", "never", "--name=X"), 1, "no board never"), (("change", "first", "--name=X"), 1, "settings say"),
        (("change", "taken", "--read-by=invited", "--slug=x"), 1, "random short name"),
        (("invite", "taken", "nobody"), 1, "no account nobody"), (("change", "taken", "--read-by=all"), 2, "invalid choice"),
        (("paint", "taken"), 2, "invalid choice"), (("delete", "taken"), 2, "name"),
    ],
)  # fmt: skip
def test_what_can_not_be_done_is_said_in_words(boards, arguments, status, words):
    """Nothing is made or changed then."""
    boards("make", "taken", "Taken")
    before = boards().stdout
    run = boards(*arguments, check=status)
    assert words in run.stderr and "Traceback" not in run.stderr
    assert boards().stdout == before


async def test_the_log_calls_a_board_as_the_list_does(boards, url):
    """By its short name, and by the name that it had when the entry was written; once it is deleted, by that alone, and one
    line has its last address.
    """
    boards("make", "rowing", "Rowing"), boards("change", "rowing", "--name=Boats"), boards("archive", "rowing")
    log = admin(f"--database-url={url}", "audit").stdout
    for words in (
        "made rowing (Rowing, now Boats)",
        "another name or address to rowing (Boats), which was Rowing",
        "archived rowing (Boats)",
    ):
        assert f" {words}\n" in log
    boards("delete", "rowing", "Boats")
    log = admin(f"--database-url={url}", "audit").stdout
    assert " made Rowing\n" in log and " archived Boats\n" in log and " deleted Boats (/b/rowing/)\n" in log
