"""A small Debian in a folder, made by debootstrap, and such a Debian begun as a machine, with systemd."""

import os
import pathlib
import shutil
import subprocess

from tests.support.patience import PATIENCE
from tests.support.server import until


class Missing(Exception):
    """What this machine lacks for a test."""


def make_debian(root: pathlib.Path, *packages: str) -> None:
    """Makes a Debian of this machine's release with these packages, which trusts what this machine trusts.

    Takes some minutes.
    """
    if os.geteuid():
        raise Missing("only root can make a Debian")
    if not shutil.which("debootstrap"):
        raise Missing("there is no debootstrap, which makes a Debian")
    suite = subprocess.run(
        ["sh", "-c", '. /etc/os-release; echo "$VERSION_CODENAME"'], capture_output=True, text=True
    ).stdout.strip()
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(packages)},ca-certificates", suite, str(root)]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", root / "etc/ssl/certs/ca-certificates.crt")
    (root / "etc/pip.conf").write_text("[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n")


BOOT = """
set -e
echo $$ > {group}/cgroup.procs
exec unshare --mount --pid --fork --uts --ipc --net --cgroup --kill-child --propagation private sh -ec '
mount --bind {root} {root}; cd {root}
mount -t proc proc proc; mount -t sysfs sysfs sys; mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs tmpfs run; mount -t tmpfs tmpfs tmp; mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do touch dev/$name; mount --bind /dev/$name dev/$name; done
mkdir -p dev/pts dev/shm old; mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts; ln -s pts/ptmx dev/ptmx
hostname longboard-test; ip link set lo up
pivot_root . old; cd /; umount -l /old
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=console --show-status=false
'
"""


class Machine:
    """A Debian whose systemd is the first process of separate namespaces, and has a control group for itself."""

    def __init__(self, root: pathlib.Path) -> None:
        mounted = [line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
        trees = [line[1] for line in mounted if line[2] == "cgroup2"]
        if not trees:
            raise Missing("there are no control groups of version 2 here")
        self._group = pathlib.Path(trees[0]) / f"longboard-test-{os.getpid()}"
        self._group.mkdir()
        self._log = (root.parent / "boot.log").open("w+")
        self._process = subprocess.Popen(
            ["sh", "-c", BOOT.format(group=self._group, root=root)], stdout=self._log, stderr=self._log
        )
        try:
            until(self._is_up)
        except BaseException:
            self.end()
            raise

    def _is_up(self) -> bool:
        if self._process.poll() is not None:
            self._log.seek(0)
            raise Missing(f"systemd can't be begun here: {self._log.read()}")
        state = self.try_("systemctl is-system-running").stdout.strip()
        return state in ("running", "degraded")

    def try_(self, command: str) -> subprocess.CompletedProcess:
        """Runs a shell command as root in the machine."""
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        if not children:
            return subprocess.CompletedProcess(command, 1, "", "")
        enter = ["nsenter", f"--target={children[0]}", "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup"]
        bare = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "sh", "-c", command]
        return subprocess.run([*enter, *bare], capture_output=True, text=True, timeout=PATIENCE)

    def __call__(self, command: str) -> str:
        ran = self.try_(command)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout.strip()

    def end(self) -> None:
        self._process.kill()  # and with it, by --kill-child, the first process of the machine, and so all of them
        self._process.wait(PATIENCE)
        self._log.close()
        for folder, _, _ in os.walk(self._group, topdown=False):
            until(lambda: self._removed(folder))  # noqa: B023 (it is called at once)

    @staticmethod
    def _removed(folder: str) -> bool:
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            return True
        except OSError:  # some process in it is still ending
            return False
        return True
