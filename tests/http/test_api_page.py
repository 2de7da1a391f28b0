"""The examples of the page /api, in each of their languages, do what the page says; they are run as they stand there."""

import contextlib
import html
import os
import re
import subprocess
import sys

import pytest

from handlers.operations.examples import LABELS, examples
from tests.deploy.test_docs import run
from tests.support.boards import promote
from tests.support.patience import PATIENCE
from tests.support.people import PASSWORD, Person
from tests.support.server import ROOT, until

NODE = ROOT / ".venv/bin/node"
PROGRAMS = [
    "python",
    pytest.param("javascript", marks=pytest.mark.skipif(not NODE.exists(), reason="there is no node")),
]
WIDTH = 68
"""Characters that a line of code may have without being broken in a window of a desktop."""


class Shown:
    """What is on a page: the blocks of code, by the name of the example and the language."""

    def __init__(self, page, **blanks):
        self.blocks = {}
        for way, name, panel in re.findall(r'<div class="way (\w+)" id="(\w+)-\1">(.*?)</div>', page, re.DOTALL):
            codes = re.findall(r"<pre [^>]*><code>(.*?)</code></pre>", panel, re.DOTALL)
            self.blocks[name, way] = [filled(code, blanks) for code in codes]

    def program(self, way, *names):
        """The examples of these names, one after the other, as a reader puts them into one file."""
        return "\n\n".join(code for name in names for code in self.blocks[name, way])


def filled(code, blanks):
    for blank, value in blanks.items():
        code = code.replace(f"<i>{blank.replace('_', ' ')}</i>", str(value))
    return html.unescape(code)


def hook_of(server):
    """The number and the secret of a new webhook."""
    owner = promote(server, Person(server, "hook_owner"))
    url = owner.api.post("/api/v1/boards/first/hooks", json={"name": "Harbour"}).json()["url"]
    return url.partition("/hooks/")[2]


def bodies(server):
    return [one["body"] for one in server.get("/api/v1/messages").json()["messages"]]


@contextlib.contextmanager
def running(way, code, folder, name="program"):
    """A program of a reader's, whose output is in two files of the folder."""
    file = folder / f"{name}.{'py' if way == 'python' else 'mjs'}"
    file.write_text(code)
    command = [sys.executable, "-u"] if way == "python" else [NODE]
    out, err = folder / f"{name}.out", folder / f"{name}.err"
    env = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    with out.open("w") as stdout, err.open("w") as stderr:
        process = subprocess.Popen([*command, file], stdout=stdout, stderr=stderr, env=env)
        process.out, process.err = out, err
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def ended(way, code, folder):
    """The exit status of a program, what it printed, and what it said of errors."""
    with running(way, code, folder) as process:
        status = process.wait(PATIENCE)
        return status, process.out.read_text(), process.err.read_text()


def test_each_example_is_there_in_each_language_and_no_line_is_too_long(start):
    page = start(title="Harbour").get("/api").text
    blocks = Shown(page).blocks
    names = re.findall(r'<section class="panel" aria-labelledby="(\w+)">', page)
    assert names == ["read", "poll", "stream", "post", "account", "reply", "hook", "calls"]
    assert list(blocks) == [(name, way) for name in names[:-1] for way in LABELS]
    assert page.count("<pre ") == sum(map(len, blocks.values())) == page.count("</pre>")
    for (name, way), codes in blocks.items():
        assert codes and (way == "curl" or len(codes) == 1), name
        lines = [line for code in codes for line in re.sub("</?i>", "", code).splitlines()]
        assert way == "curl" or max(map(len, lines)) <= WIDTH, max(lines, key=len)
    assert PASSWORD not in page and 'href="/api/v1/openapi.json"' in page


def test_a_board_without_passwords_shows_a_token_in_the_place_of_signing_in():
    """Nothing there signs up, in or out."""
    shown = examples("https://board.example.org", False, str.upper)
    assert not re.search("signup|signin|signout|a few random words", str(shown))
    for way in LABELS:
        assert re.match("(const )?token ?= ?(&quot;)?<i>A BOT'S TOKEN</i>", shown["account"][way][0])
        assert "https://board.example.org" in shown["read"][way][0]


def test_the_curl_lines_work(start):
    """A reader who types along gets what the page says. Each block is one command, as it is copied."""
    server = start()
    hook = hook_of(server)
    page = server.get("/api").text
    shown = Shown(page, cursor="$cursor", id="$id", **{"number/secret": hook}).blocks
    commands = [code for (_, way), codes in shown.items() if way == "curl" for code in codes]
    assert len(commands) == 11 == sum(command.count("curl -s") or command.count("curl ") for command in commands)
    commands[0] = f'cursor=$({commands[0]} | sed \'s/.*cursor":"//; s/".*//\'); echo $cursor'
    commands[1] = commands[1].replace("$cursor'", "'$cursor'&wait=0'")
    commands[2] = f"{commands[2]} -m 3"  # it would go on
    commands[6] = f"id=$({commands[6]} | cut -d: -f2 | cut -d, -f1); echo $id"
    printed = run(commands, server)
    assert '\ndata: {"messages":[],"cursor":"' in printed[2]
    assert printed[0].endswith("-0") and '"messages":[]' in printed[1]
    assert '"body":"Hello from a script"' in printed[3] and '"username":"ada"' in printed[4]
    assert printed[5] == "" and printed[6] == "2" and '"name":"ada"' in printed[7] and '"reply_to":2' in printed[7]
    assert '"reactions":{"❤️":1}' in printed[8] and printed[9] == "" and printed[10] == "ok"
    assert bodies(server) == ["Hello from a script", "Hello from Ada", "Welcome!", "High tide"]


def test_no_curl_line_goes_on_as_a_guest_when_signing_in_has_failed(start):
    """The account is not made there, so signing in fails; then nothing is posted."""
    server = start()
    shown = Shown(server.get("/api").text, id=1)
    commands = [code for name in ("account", "reply") for code in shown.blocks[name, "curl"]][1:]
    assert len(commands) == 5
    assert run([commands[0], *(f"({command})" for command in commands[1:])], server) == [""] * 5
    assert server.get("/api/v1/messages").json()["messages"] == []


@pytest.mark.parametrize("way", PROGRAMS)
def test_the_program_reads_posts_signs_in_replies_and_reacts(start, tmp_path, way):
    server = start()
    hook = hook_of(server)
    server.post("Here already")
    shown = Shown(server.get("/api").text, **{"number/secret": hook})
    code = shown.program(way, "read", "post", "account", "reply", "hook")
    status, printed, said = ended(way, code, tmp_path)
    assert (status, said) == (0, ""), said
    assert printed.splitlines() == ["1 Here already", "2"]
    *_, by_guest, by_ada, reply, by_hook = server.get("/api/v1/messages").json()["messages"]
    assert by_guest["body"] == "Hello from a script" and by_guest["author"] is None
    assert by_ada["body"] == "Hello from Ada" and by_ada["author"]["name"] == "ada"
    assert by_ada["reactions"] == {"❤️": 1}
    assert (reply["body"], reply["reply_to"]) == ("Welcome!", by_ada["id"])
    assert by_hook["body"] == "High tide" and by_hook["author"]["role"] == "bot"


@pytest.mark.parametrize("way", PROGRAMS)
def test_programs_follow_the_board_over_a_restart_and_stop_when_they_are_refused(start, tmp_path, way):
    """By polls and by a stream: what comes and goes is printed once. A restart is got over; what is refused ends them."""
    server = start()
    shown = Shown(server.get("/api").text)
    poll = shown.program(way, "read", "poll")
    wait_after = shown.program(way, "poll").partition("\n\n")[0]
    stream = "\n\n".join((shown.program(way, "read"), wait_after, shown.program(way, "stream")))
    with running(way, poll, tmp_path, "poll") as one, running(way, stream, tmp_path, "stream") as other:
        server.until_parked(2)
        person = Person(server, "news_maker")
        id = person.post("First 👋 news")["id"]
        until(lambda: all(f"{id} First 👋 news\n" in each.out.read_text() for each in (one, other)))
        person.api.delete(f"/api/v1/messages/{id}")
        until(lambda: all(f"{id} (deleted)\n" in each.out.read_text() for each in (one, other)))
        server.kill()
        server.start()
        server.until_parked(2)
        id = server.post("Here again").json()["id"]
        until(lambda: all(f"{id} Here again\n" in each.out.read_text() for each in (one, other)))
        assert one.out.read_text() == other.out.read_text() and len(one.out.read_text().splitlines()) == 3
        server.stop()
        server.settings["reading"] = "members"
        server.start()
        assert [each.wait(PATIENCE) for each in (one, other)] == [1, 1]
        assert all("sign_in_first" in each.err.read_text() for each in (one, other))


REFUSED = {
    "python": 'wait_after(HTTPError("", 503, "busy", {"Retry-After": "1"}, None), 0)',
    "javascript": 'await waitAfter({ reply: new Response("", { status: 503, headers: { "Retry-After": "1" } }) }, 0);',
}
CLOCK = {
    "python": ("began = time.monotonic()", "print(time.monotonic() - began)"),
    "javascript": ("const began = Date.now();", "console.log((Date.now() - began) / 1000);"),
}


@pytest.mark.parametrize("way", PROGRAMS)
def test_programs_say_what_was_refused_and_wait_as_long_as_they_are_told(start, tmp_path, way):
    server = start(posting="members")
    shown = Shown(server.get("/api").text)
    wait_after = shown.program(way, "poll").partition("\n\n")[0]
    begin, end = CLOCK[way]
    code = "\n".join((shown.program(way, "read"), wait_after, begin, REFUSED[way], end, shown.program(way, "post")))
    status, printed, said = ended(way, code, tmp_path)
    assert status == 1 and "401" in said and "sign_in_first" in said
    assert float(printed) >= 0.99
    assert bodies(server) == []
