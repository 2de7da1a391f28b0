"""The container: built from the Dockerfile, and run as people run it. `bin/test --container` runs these.

The base is made by debootstrap, as root; `--base=python:3.13-slim` takes one from a registry instead.
"""

import contextlib
import os
import re

import httpx
import pytest
import yaml

from tests.support.debian import Missing
from tests.support.patience import PATIENCE
from tests.support.podman import Podman
from tests.support.ports import free_port
from tests.support.server import PLAIN, ROOT, until

pytestmark = pytest.mark.container
BASE, IMAGE, NEXT = "localhost/base", "localhost/longboard", "localhost/longboard:next"
MOST_ABOVE = 70 * 1024 * 1024
"""Bytes that the image may have above its base."""
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["board"]
LOCKED_DOWN = [
    *(f"--cap-drop={name}" for name in COMPOSE["cap_drop"]), *(f"--tmpfs={path}" for path in COMPOSE["tmpfs"]),
    *(f"--security-opt={one}".replace(":true", "") for one in COMPOSE["security_opt"]),
    f"--read-only={str(COMPOSE['read_only']).lower()}",
]  # fmt: skip
"""All that compose.yaml takes away from the board's container."""


@pytest.fixture(scope="module")
def podman(tmp_path_factory, request):
    try:
        podman = Podman(tmp_path_factory.mktemp("podman"))
    except Missing as missing:
        pytest.skip(str(missing))
    try:
        base = request.config.getoption("base")
        try:
            podman.make_base(BASE) if base is None else podman("pull", base)
        except Missing as missing:
            pytest.skip(str(missing))
        podman.base = base or BASE
        tried = podman.try_("run", "--rm", "--network=host", podman.base, "true")
        if tried.returncode:
            pytest.skip(f"no container can be run here: {tried.stderr}")
        for name, version in (IMAGE, "1.1.0"), (NEXT, "1.2.0"):
            podman(
                "build", "--quiet", "--format=docker", "--network=host", f"--build-arg=BASE={podman.base}",
                f"--build-arg=VERSION={version}", f"--tag={name}", ROOT,
            )  # fmt: skip
        yield podman
    finally:
        podman.end()


class Board:
    """A container that serves, with the rights that compose.yaml leaves it."""

    def __init__(self, podman, volume, *arguments, image=IMAGE, **values):
        self.podman, self.port = podman, free_port()
        settings = [f"--env={name}={value}" for name, value in {"PORT": self.port, **values}.items()]
        self.id = podman(
            "run", "--detach", "--network=host", f"--volume={volume}:/data", *LOCKED_DOWN, *settings, image, *arguments
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE, verify=PLAIN)
        until(self.is_up)

    def is_up(self):
        with contextlib.suppress(httpx.ConnectError):
            return self.client.get("/readyz").status_code == 200
        assert self.podman.inspect(self.id)["State"]["Status"] != "exited", self.log()

    def log(self):
        ran = self.podman.try_("logs", self.id)
        return ran.stdout + ran.stderr

    def health_check(self):
        """The command by which Docker finds out whether the board is well."""
        kind, *command = self.podman.inspect(self.id)["Config"]["Healthcheck"]["Test"]
        assert kind == "CMD"
        return command

    def post(self, body):
        assert self.client.post("/api/v1/messages", json={"body": body}).status_code == 201

    def bodies(self):
        return [one["body"] for one in self.client.get("/api/v1/messages").json()["messages"]]

    def stop(self):
        """What `docker stop` does. Returns the exit status."""
        self.client.close()
        self.podman("stop", f"--time={COMPOSE['stop_grace_period'].removesuffix('s')}", self.id)
        return self.podman.inspect(self.id)["State"]["ExitCode"]


@pytest.fixture
def board(podman):
    boards = []

    def board(*arguments, **options):
        boards.append(Board(podman, *arguments, **options))
        return boards[-1]

    yield board
    for one in boards:
        one.client.close()
        podman("rm", "--force", "--time=0", one.id)


@pytest.fixture
def volume(podman, request):
    name = podman("volume", "create")
    yield name
    podman.try_("volume", "rm", "--force", name)


def refused(podman, *options):
    """The last line of a container that does not start."""
    ran = podman.try_("run", "--rm", "--network=host", f"--env=PORT={free_port()}", *options, IMAGE)
    assert ran.returncode == 1 and "Traceback" not in ran.stderr
    return ran.stderr.splitlines()[-1]


def test_the_image_is_small_and_has_only_what_a_board_needs(podman):
    """No root, no pip, no sources of tests; what it listens on, keeps and runs is in its description."""
    image, base = podman.inspect(IMAGE), podman.inspect(podman.base)
    config = image["Config"]
    assert image["Size"] - base["Size"] < MOST_ABOVE
    assert config["User"] == "1000:1000" and list(config["Volumes"]) == ["/data"]
    assert config["Entrypoint"] == ["longboard"] and "8080/tcp" in config["ExposedPorts"]
    assert {"ADDRESS=0.0.0.0", "DATABASE_URL=sqlite:////data/board.db"} < set(config["Env"])
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config["Labels"].items()}
    assert (labels["title"], labels["version"], labels["licenses"]) == ("Longboard", "1.1.0", "MIT")
    code = "import importlib.metadata as m; print(*sorted(d.name.lower().replace('_', '-') for d in m.distributions()))"
    has = podman("run", "--rm", "--network=none", "--entrypoint=python", IMAGE, "-I", "-c", code).split()
    pinned = re.findall(r"^([a-z0-9-]+)==[^;\n]+ \\$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert set(has) - {"longboard", "pycparser"} == set(pinned) and "longboard" in has
    code = "import pathlib, longboard; print(*pathlib.Path(longboard.__file__).parent.rglob('*'), sep='\\n')"
    inside = podman("run", "--rm", "--network=none", "--entrypoint=python", IMAGE, "-I", "-c", code)
    assert "migrations/sqlite" in inside and "/tests" not in inside


def test_a_board_lives_through_a_stop_and_an_update(podman, board, volume):
    """It is posted to, looked after, ended in order, and goes on in a container of the next release."""
    first = board(volume)
    first.post("before the update")
    podman("exec", first.id, *first.health_check())
    assert podman("exec", first.id, "longboard", "admin", "stats").split()[:2] == ["messages", "1"]
    assert "longboard admin" in podman("exec", first.id, "longboard", "admin", "--help")
    podman("exec", first.id, "longboard", "admin", "backup", "copy.db")
    assert first.stop() == 0 and "Ended." in first.log()
    second = board(volume, image=NEXT)
    second.post("after the update")
    assert second.bodies() == ["before the update", "after the update"]
    assert second.stop() == 0


def test_a_board_that_does_not_answer_is_found_unhealthy(podman, board, volume):
    """The check asks the board itself, at the port that is set."""
    one = board(volume)
    assert podman.try_("exec", "--env=PORT=1", one.id, *one.health_check()).returncode == 1


def test_a_board_on_postgresql_runs_several_nodes(board, volume, new_database):
    """As compose.yaml has it, with nothing to keep in the volume; SIGTERM reaches all of them."""
    one = board(volume, DATABASE_URL=new_database(), NODES="2")
    one.post("on PostgreSQL")
    assert one.bodies() == ["on PostgreSQL"] and "(with 2 nodes)" in one.log()
    assert one.stop() == 0


def test_two_containers_may_share_a_volume(board, volume):
    """Nobody should, but nothing is lost: each shows what was posted at the other."""
    one, other = board(volume), board(volume)
    one.post("here")
    until(lambda: other.bodies() == ["here"])
    other.post("there")
    until(lambda: one.bodies() == ["here", "there"])
    assert (one.stop(), other.stop()) == (0, 0)


def test_a_volume_that_can_t_be_used_is_told_in_one_line(podman, board, volume, tmp_path):
    """One that is read-only, and folders of the host that belong to somebody else."""
    assert board(volume).stop() == 0
    assert "is read-only" in refused(podman, f"--volume={volume}:/data:ro")
    os.chmod(tmp_path, 0o755)
    for mode in (0o755, 0o700):
        (tmp_path / f"{mode:o}").mkdir(mode=mode)
        said = refused(podman, f"--volume={tmp_path / f'{mode:o}'}:/data")
        assert said.startswith("longboard: ") and "/data" in said and "can't be written to" in said
