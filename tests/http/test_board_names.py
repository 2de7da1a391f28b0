"""Boards whose names look alike are told apart by their addresses, however many boards there are."""

import re

import pytest

from board.slugs import folded
from storage.boards import BoardChange
from storage.records import Author
from tests.hostile.test_reading import board_of, member

ADA = Author(1, "Ada")


async def many_of(house):
    """Makes a moderator, who is invited to one board, and more boards than a list has at a time. Returns its cookie."""
    cookie = {"Cookie": f"longboard={await member(house)}"}
    await house.storage.set_role(None, "ada", "moderator")
    for number in range(100):
        await house.storage.create_board(None, f"b{number:03}", f"Board {number:03}")
    for slug, name, read_by in [
        ("a-zebra", "Zebra", "everyone"), ("y-zebra", "ZÉBRA", "everyone"), ("z-lounge", "Board 000", "members"),
        ("z-stage", "Stage", "everyone"), ("z-hidden", "Stage", "invited"), ("z-one", "One", "everyone"),
    ]:  # fmt: skip
        board = await house.storage.create_board(None, slug, name, read_by=read_by)
        if read_by == "invited":
            await house.storage.invite(None, board.id, 1)
        await house.storage.append(ADA, f"words on {slug}", None, board_id=board.id)
    await house.board.waiters.deliver()
    return cookie


async def shown(house, path, tag, cookie):
    """The words in these elements of a page."""
    found = re.findall(f"<{tag}[ >].*?</{tag[:2].strip()}>", await page_of(house, path, cookie))
    return [re.sub("<[^>]+>", "", words) for words in found]


async def page_of(house, path, cookie):
    reply = await house.get(path, **cookie)
    assert reply.code == 200
    return " ".join(reply.body.decode().split())


@pytest.mark.parametrize("is_member", [False, True])
async def test_boards_of_one_name_are_told_apart_among_more_than_a_list_has(tmp_path, is_member):
    """In headings, in the list beside, on each page of the list of all, in results and in the log."""
    async with board_of(tmp_path, []) as house:
        cookie = await many_of(house)
        cookie = cookie if is_member else {}
        for slug, name, is_told in [
            ("a-zebra", "Zebra", True), ("y-zebra", "ZÉBRA", True), ("b000", "Board 000", is_member),
            ("z-stage", "Stage", is_member), ("z-one", "One", False), ("b001", "Board 001", False),
        ]:  # fmt: skip
            named = f"{name} ({slug})" if is_told else name
            assert await shown(house, f"/b/{slug}/", "h1", cookie) == [named]
            links = [
                link
                for path in ("/boards", "/boards?after=b098")
                for link in re.findall(f'data-slug="{slug}".*?</a>', await page_of(house, path, cookie))
            ]
            assert len(links) == 1 and (f"<small>{slug}</small>" in links[0]) == is_told
        found = await shown(house, "/search?q=words&board=*", 'a class="on"', cookie)
        assert {"Zebra (a-zebra)", "ZÉBRA (y-zebra)", "One"} <= set(found)
        assert ("Stage" in found, "Stage (z-stage)" in found) == (not is_member, is_member)
        beside = re.findall(r'data-slug="a-zebra".*?</small>', await page_of(house, "/", cookie))
        assert "<small>a-zebra</small>" in beside[0]
        if is_member:
            log = await shown(house, "/audit", "td", cookie)
            assert "made ZÉBRA (y-zebra)" in log and "made One" in log


async def test_a_board_is_not_told_apart_from_one_that_is_gone_or_has_another_name(tmp_path):
    async with board_of(tmp_path, []) as house:
        cookie = await many_of(house)
        ids = {board.slug: board.id for board in house.board.waiters.directory._boards.values()}
        [hidden] = [board.id for board in house.board.waiters.directory._boards.values() if board.read_by == "invited"]

        async def headings():
            return [await shown(house, f"/b/{slug}/", "h1", cookie) for slug in ("y-zebra", "b000", "z-stage")]

        assert await headings() == [["ZÉBRA (y-zebra)"], ["Board 000 (b000)"], ["Stage (z-stage)"]]
        await house.storage.set_board(None, ids["a-zebra"], BoardChange(name="Zebras"))
        assert await headings() == [["ZÉBRA"], ["Board 000 (b000)"], ["Stage (z-stage)"]]
        await house.storage.delete_board(None, ids["z-lounge"])
        await house.storage.uninvite(None, hidden, 1)
        assert await headings() == [["ZÉBRA"], ["Board 000"], ["Stage"]]
        await house.storage.set_board(None, ids["z-one"], BoardChange(name="zebra"))
        assert await headings() == [["ZÉBRA (y-zebra)"], ["Board 000"], ["Stage"]]


async def test_names_are_compared_only_where_somebody_sees_several(tmp_path):
    """Not at the start, and not on a site with one board."""
    async with board_of(tmp_path, ["words"]) as house:
        folded.cache_clear()
        assert (await house.get("/")).code == 200 and folded.cache_info().currsize == 0
        await house.storage.create_board(None, "rowing", "Rowing")
        await house.board.waiters.deliver()
        assert folded.cache_info().currsize == 0
        assert (await house.get("/")).code == 200 and folded.cache_info().currsize == 2
    folded.cache_clear()
    async with board_of(tmp_path, []) as house:
        assert house.board.waiters.directory.has_others and folded.cache_info().currsize == 0
