"""The lock: what is deployed is what is tested, to the byte, on every Python that we support."""

import datetime
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from deploy import locks
from tests.support.package import Installed, build, live, run
from tests.support.server import ROOT, environment
from version import VERSION

LOCK = (ROOT / "requirements.txt").read_text()
WANTED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]


def test_the_lock_fits_what_the_project_asks_for_and_what_is_tested():
    """If this fails, bin/lock makes a new one, or bin/venv installs what is in it."""
    assert list(locks.misfits(WANTED, LOCK)) == []
    assert len(locks.PIN.findall(LOCK)) > len(WANTED)  # with what those need
    assert locks.day_of(LOCK) > datetime.date(2026, 1, 1)


def without(name, text):
    """The lock without one package."""
    return re.sub(rf"^{name}==(?:.*\n)(?: .*\n)+", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("wanted", "lock", "said"),
    [
        ([*WANTED, "iniconfig>=1"], LOCK, "pyproject.toml needs iniconfig>=1, which is not there"),
        (["tornado<6", *WANTED[1:]], LOCK, r"pyproject.toml needs tornado<6, not 6[.\d]+"),
        ([one for one in WANTED if "tqdm" not in one], LOCK, "nothing needs tqdm"),
        (WANTED, without("tornado", LOCK), "pyproject.toml needs tornado.*, which is not there"),
        (WANTED, without("cffi", LOCK), "argon2-cffi-bindings needs cffi.*, which is not there"),
        (WANTED, LOCK.replace("tqdm==4", "tqdm==4.99"), r"tqdm 4.99[.\d]+ is not what is installed here.*"),
        (WANTED, LOCK + "six\n", "'six' is no package with one version and its hashes"),
        (WANTED, LOCK + "six==1.17\n", "'six==1.17' is no package with one version and its hashes"),
        (WANTED, LOCK.replace("sha256:", "md5:", 1), r"aiosqlite lacks its hashes \(SHA-256\)"),
    ],
)
def test_a_lock_that_does_not_fit_is_named(wanted, lock, said):
    """If one of the two files is changed by hand, that is reported, with the name of the package."""
    assert any(re.fullmatch(said, words) for words in locks.misfits(wanted, lock)), list(locks.misfits(wanted, lock))


def test_an_old_lock_is_told_and_what_can_t_be_known_too(monkeypatch, capsys, tmp_path):
    """No test fails because time has gone by; but nobody may believe that all holes were looked for."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.setattr(locks, "ROOT", tmp_path)
    for day, is_old in (datetime.date.today(), False), (datetime.date(2020, 2, 29), True):
        (tmp_path / "requirements.txt").write_text(locks.DAY.sub(f"#    bin/lock, on {day}", LOCK))
        locks.main()
        said = capsys.readouterr().out
        assert ("run bin/lock" in said) == is_old and f"since {day} can't be known from here: bin/audit" in said


def test_pip_takes_only_files_with_these_hashes(tmp_path):
    """A package that somebody else has put into the index under the same version is refused."""
    lock = re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, LOCK)
    (tmp_path / "requirements.txt").write_text(lock)
    wheel = tmp_path / "aiosqlite-0.22.1-py3-none-any.whl"
    wheel.write_bytes(b"another file")
    command = [sys.executable, "-m", "pip", "download", "--no-index", "--no-deps", "--find-links", tmp_path]
    ran = subprocess.run(
        [*map(str, command), "-d", str(tmp_path / "got"), "-r", str(tmp_path / "requirements.txt")],
        cwd=tmp_path, env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 1 and "DO NOT MATCH THE HASHES" in ran.stderr, ran.stderr


# --- with the network: bin/test --install


def python_of(version):
    """A Python of this version that starts: the system's, or one of pyenv's."""
    kept = pathlib.Path.home().glob(f".pyenv/versions/{version}.*/bin/python3")
    for python in [shutil.which(f"python{version}"), *sorted(kept)]:
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        if python and subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip() == version:
            return python
    pytest.skip(f"there is no Python {version} here")


@pytest.mark.install
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_each_python_installs_the_lock_and_serves(version, tmp_path):
    """With pip, as hosts do it, and only from files whose hashes are known."""
    python = python_of(version)
    run(python, "-m", "venv", tmp_path / "env")
    pip = [tmp_path / "env/bin/python", "-m", "pip", "install"]
    run(*pip, "--require-hashes", "--only-binary=:all:", "-r", ROOT / "requirements.txt")
    run(*pip, "--no-deps", build(tmp_path))
    run(tmp_path / "env/bin/python", "-m", "pip", "check")
    live(Installed(tmp_path / "env/bin/longboard", tmp_path))


@pytest.mark.install
def test_the_bill_of_materials_has_every_package_with_its_licence():
    """One command, the same bytes each time."""
    printed = run(ROOT / "bin/sbom").stdout
    bill = json.loads(printed)
    about = bill["metadata"]["component"]
    assert (bill["bomFormat"], about["name"], about["version"]) == ("CycloneDX", "longboard", VERSION)
    pinned = {(locks.canonicalize_name(name), version) for name, version, marker, _ in locks.PIN.findall(LOCK)}
    found = {(locks.canonicalize_name(one["name"]), one["version"]) for one in bill["components"]}
    assert found <= pinned and {name for name, _ in pinned - found} <= {"colorama"}  # which only Windows needs
    assert all(one["licenses"] and one["purl"].startswith("pkg:pypi/") for one in bill["components"])
    assert str(ROOT) not in printed and printed == run(ROOT / "bin/sbom").stdout
