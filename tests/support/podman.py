"""Podman, also where a container itself has fewer rights than it expects, and a base image without a registry."""

import json
import os
import pathlib
import shutil
import subprocess

from tests.support.debian import Missing, make_debian
from tests.support.patience import PATIENCE

LIMITS = "[containers]\ndefault_ulimits = ['nofile=1024:1024', 'nproc=1024:1024']\n"
"""Podman raises limits by default, which takes a capability that root lacks in some virtual machines."""
ENTERING = "umount /sys/fs/cgroup/unified 2>/dev/null; echo ready; exec cat"
"""crun refuses systems that have both versions of cgroups. In a separate mount namespace, the second can be unmounted."""


class Podman:
    """Runs Podman as root. Images and containers are in a temporary folder, which is removed at the end."""

    def __init__(self, folder: pathlib.Path) -> None:
        for tool in ("podman", "crun", "unshare", "nsenter"):
            if not shutil.which(tool):
                raise Missing(f"there is no {tool} (Debian: apt install podman crun)")
        if os.geteuid():
            raise Missing("only root can make a base image")
        self.folder = folder
        (folder / "containers.conf").write_text(LIMITS)
        self._place = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", ENTERING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self._place.stdout.readline() != "ready\n":
            raise Missing("the kernel gives no place for mounts (unshare --mount)")

    def try_(self, *arguments: object, **values: str) -> subprocess.CompletedProcess:
        store = ["--root", self.folder / "store", "--runroot", self.folder / "run", "--log-level=fatal"]
        place = f"--mount=/proc/{self._place.pid}/ns/mnt"
        return subprocess.run(
            [str(part) for part in ("nsenter", place, "podman", *store, *arguments)], capture_output=True, text=True,
            timeout=10 * PATIENCE, env={**os.environ, "CONTAINERS_CONF": str(self.folder / "containers.conf"), **values},
        )  # fmt: skip

    def __call__(self, *arguments: object) -> str:
        ran = self.try_(*arguments)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout.strip()

    def inspect(self, name: str) -> dict:
        return json.loads(self("inspect", name))[0]

    def end(self) -> None:
        self.try_("rm", "--all", "--force", "--time=0")
        self.try_("rmi", "--all", "--force")
        self._place.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_base(self, name: str) -> None:
        """Makes a small Debian with a Python. Takes some minutes."""
        root, archive = self.folder / "debian", self.folder / "base.tar"
        make_debian(root, "python3", "python3-venv")
        subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
        shutil.rmtree(root)
        self("import", archive, name)
        archive.unlink()
