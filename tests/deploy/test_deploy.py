"""Deploying on Heroku, behind its router."""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys

import httpx

from net import drain
from net.server import IDLE_SECONDS
from settings import Settings, read_settings
from tests.deploy.test_restarting import all_have, running
from tests.deploy.test_restarting import until as until_so
from tests.http.test_metrics import SHOWN, TOKEN, figures
from tests.support import router as heroku
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.restarting import Poster, Reader
from tests.support.server import PLAIN, ROOT, environment, until

APP = json.loads((ROOT / "app.json").read_text())
SCALE = 0.1
"""Of the router's times: 3 s instead of 30."""


def dyno(start, **settings):
    """A server with what app.json sets, and polls as much shorter as the router's times."""
    names = ("CLIENT_HEADER", "VARYING_HEADERS", "MAX_PARKED")
    given = {name.lower(): APP["env"][name]["value"] for name in names}
    return start(**given | {"poll_seconds": 2, "metrics_token": TOKEN} | settings)


def test_app_json_sets_what_there_is_to_set():
    """Each variable is a setting, with a value that the server takes; parked polls stay below the router's cap."""
    names = {field.name.upper() for field in dataclasses.fields(Settings)}
    assert set(APP["env"]) <= names and APP["addons"] == ["heroku-postgresql:essential-0"]
    assert "value" not in APP["env"]["PUBLIC_URL"]  # it is required, so the button asks for it
    values = {name: one["value"] for name, one in APP["env"].items() if "value" in one}
    settings = read_settings([], values | {"METRICS_TOKEN": "0123456789abcdef" * 4})
    assert settings.max_parked < 200 and settings.poll_seconds < heroku.FIRST_BYTE
    assert all(one["description"] for one in APP["env"].values())
    assert IDLE_SECONDS > heroku.KEEP  # else the router would write into a connection that is being closed
    version = tuple(map(int, (ROOT / ".python-version").read_text().strip().split(".")))
    assert version >= (3, 11) and drain.DRAIN_SECONDS + drain.LEAVE_SECONDS < heroku.TERM


def test_the_procfile_starts_a_board(tmp_path):
    """As Heroku starts it: by the shell, with PORT in the environment, long before the minute that it has."""
    processes = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    env = platform(tmp_path, DYNO="web.1")
    release = subprocess.run(
        ["sh", "-c", processes["release"]], cwd=ROOT, env=env, capture_output=True, timeout=PATIENCE
    )
    assert release.returncode == 0, release.stderr
    with begun(processes["web"], env, tmp_path) as url:
        until(lambda: answers(f"{url}/readyz"))
    assert "WILL BE LOST" in (tmp_path / "log").read_text()


def platform(folder, **values):
    """The environment in which a platform starts what it runs."""
    env = environment(PORT=str(free_port()), DATABASE_URL=f"sqlite:///{folder}/board.db", **values)
    return env | {"PATH": f"{os.path.dirname(sys.executable)}:{env['PATH']}"}


@contextlib.contextmanager
def begun(command, env, folder):
    """Where this shell command serves; SIGTERM ends it in order afterwards."""
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["sh", "-c", f"exec {command}"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=log
        )
        try:
            yield f"http://127.0.0.1:{env['PORT']}"
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0


def answers(url):
    try:
        return httpx.get(url, timeout=PATIENCE, verify=PLAIN).status_code == 200
    except httpx.TransportError:
        return False


def test_polls_through_the_router_are_held_answered_and_repeated(start):
    """No poll is cut, each repeated one is known whatever the router adds to it, and all share few connections."""
    server = dyno(start)
    with heroku.Router(server.port, SCALE) as router, concurrent.futures.ThreadPoolExecutor(12) as pool:
        cursor = server.cursor

        def page(number):
            with httpx.Client(base_url=router.url, timeout=PATIENCE, verify=PLAIN) as client:
                return [client.get(f"/get?after={cursor}&wait=2").status_code for _ in range(2)]

        pages = [pool.submit(page, number) for number in range(10)]
        assert [status for one in pages for status in one.result()] == [200] * 20
        assert router.codes == {} and router.passed == 20
        assert figures(server)["longboard_polls_repeated_total"] >= 5


def test_the_router_cuts_what_is_held_for_too_long(start):
    """The stand-in is as strict as it claims: with POLL_SECONDS above its patience, polls end as H12."""
    server = dyno(start, poll_seconds=600)
    with heroku.Router(server.port, 0.02) as router:
        assert httpx.get(f"{router.url}/get?after={server.cursor}").status_code == 503
        assert router.codes == {"H12 request timeout": 1}
    server.until_parked(0)


def test_behind_the_router_nobody_can_claim_another_address(start):
    """The router's own entry counts, whatever a client has sent in any header."""
    server = dyno(start)
    with heroku.Router(server.port, SCALE) as router:
        for name in ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Fly-Client-IP"):
            seen = httpx.get(f"{router.url}/healthz", headers=SHOWN | {name: "203.0.113.5"}).json()
            assert seen["client"] == "127.0.0.1"


def test_behind_the_router_plain_http_is_redirected(start):
    """A page goes to https, whatever scheme the client claims; what has a body is refused; https is served."""
    server = dyno(start, dyno="web.1", public_url="https://your-board.herokuapp.com")
    headers = {"Host": "your-board.herokuapp.com", "X-Forwarded-Proto": "https", "Forwarded": "proto=https"}
    with heroku.Router(server.port, SCALE, scheme="http") as router:
        page = httpx.get(f"{router.url}/?x", headers=headers)
        assert (page.status_code, page.headers["Location"]) == (301, "https://your-board.herokuapp.com/?x")
        refused = httpx.post(f"{router.url}/api/v1/messages", headers=headers, json={"body": "in clear"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "https_only")
    with heroku.Router(server.port, SCALE) as router:
        page = httpx.get(router.url, headers=headers | {"X-Forwarded-Proto": "http"})
        assert page.status_code == 200 and "in clear" not in page.text
        assert "max-age" in page.headers["Strict-Transport-Security"]


async def test_a_dyno_s_restart_loses_nothing(start):
    """SIGTERM under polls and posts through the router: it ends in time, and every client goes on by itself."""
    server = await asyncio.to_thread(dyno, start)
    with heroku.Router(server.port, SCALE) as router:
        readers = [Reader(router.port, server.cursor) for _ in range(20)]
        posters = [Poster(router.port, "a", every=0.05)]
        async with running([*readers, *posters]):
            await until_so(lambda: server.health()["parked"] > 10)
            assert await asyncio.to_thread(heroku.cycle, server)
            await until_so(lambda: router.codes["H21 backend connection refused"] > 0)
            await asyncio.to_thread(server.start)
            await until_so(lambda: server.health()["parked"] > 10)
            await all_have(readers, posters, server.database)
    # None was cut off in the middle. H13: the router took one of its idle connections just when it was closed.
    assert set(router.codes) <= {"H21 backend connection refused", "H13 connection closed without response"}
