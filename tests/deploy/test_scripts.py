"""The scripts in bin/: from wherever they are called, and whatever a run before has left half done."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from tests.support.patience import BRIEFLY
from tests.support.server import ROOT, environment, until

SCRIPTS = sorted(path.name for path in (ROOT / "bin").iterdir())
STUB = '#!/bin/sh\necho "$0 $*"\n'


@pytest.fixture
def project(tmp_path):
    """A checkout with the scripts, and nothing to install."""
    folder = tmp_path / "a board"
    shutil.copytree(ROOT / "bin", folder / "bin")
    for name in ("requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text("# nothing\n")
    return folder


def stub(path, text=STUB):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def run(*command, cwd=None, **values):
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment(**values), capture_output=True, text=True
    )


QUICK = """#!/bin/sh
# Python, but for what takes long: its environments have a pip that only looks whether files are there.
if [ "$1 $2" = "-m venv" ]; then
    {python} -m venv --without-pip "$3" "$4"
    while [ -e slowly ]; do sleep 0.1; done
    packages=$(echo .venv/lib/python*/site-packages)
    mkdir $packages/pip
    cp installer.py $packages/pip/__main__.py
    exec touch $packages/pip/__init__.py
fi
exec {python} "$@"
"""
PIP = """
import os, sys
for file in sys.argv[1:]:
    if file.endswith(".txt"):
        sys.exit(not all(map(os.path.exists, open(file).read().split())))
"""


@pytest.fixture
def quick(project):
    """Makes environments in no time."""
    stub(project / "quick", QUICK.replace("{python}", sys.executable))
    (project / "installer.py").write_text(PIP)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (project / name).write_text("installer.py\n")
    return project / "quick"


def make_venv(project, python):
    return run(project / "bin" / "venv", "requirements.txt", PYTHON=str(python))


def is_whole(project):
    """Both of what a later run needs: the packages' place, and the way to fill it."""
    python = project / ".venv" / "bin" / "python"
    return run(python, "-I", "-m", "pip").returncode == 0 and (project / ".venv/requirements.txt").exists()


# --- from wherever


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name not in ("browser", "venv")])
def test_a_script_finds_its_folder_through_a_link_and_with_cdpath(project, tmp_path, name):
    """`ln -s …/bin/serve /usr/local/bin/longboard`, in a shell where CDPATH is exported."""
    stub(project / "bin" / "venv", 'printf "%s %s\\n" "$(readlink -f "$0")" "$1"\nexit 7\n')
    link = tmp_path / "link"
    link.symlink_to(project / "bin" / name)
    for script, cwd in ((link, tmp_path), (f"bin/{name}", project)):
        ran = run("sh", script, cwd=cwd, CDPATH=f".:{tmp_path}")
        assert ran.returncode == 7 and ran.stderr == ""
        assert ran.stdout.startswith(f"{project}/bin/venv requirements")


def test_a_command_works_on_the_folder_where_it_is_called(project, tmp_path):
    """The board is a file in the folder one stands in, not in that of the scripts."""
    stub(project / "bin" / "venv", "#!/bin/sh\n")
    stub(project / ".venv" / "bin" / "python", "#!/bin/sh\npwd\n")
    for name in ("serve", "admin", "fake-facebook"):
        assert run(project / "bin" / name, cwd=tmp_path).stdout == f"{tmp_path}\n"


def test_a_browser_is_named_through_a_link(project, tmp_path):
    """The one script that asks for nothing to be installed before."""
    link = tmp_path / "link"
    link.symlink_to(project / "bin" / "browser")
    assert run(link, "chromium", CHROMIUM="/bin/true", CDPATH=".").stdout == "/bin/true\n"


@pytest.mark.parametrize("arguments", [["--no-browser", "-n0"], ["-n0", "--no-browser"]])
def test_the_tests_take_their_arguments_in_any_order(project, arguments):
    """What is pytest's goes to pytest, with its blanks."""
    stub(project / "bin" / "venv", "#!/bin/sh\n")
    stub(project / ".venv" / "bin" / "python", '#!/bin/sh\nprintf "<%s>" "$@"\n')
    said = run(project / "bin" / "test", *arguments, "-k", "a or b").stdout
    assert said.endswith("<-m><not browser><-n0><-k><a or b>")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "<{root}/server.py>"), (["--port", "1", "a b", ""], "<{root}/server.py><--port><1><a b><>"),
        (["--with-fake-facebook"], "<-m><fake_facebook><--serve>"),
        (["--with-fake-facebook", "--port=1"], "<-m><fake_facebook><--serve><--port=1>"),
        (["--port", "1", "--with-fake-facebook", "--title=a b"], "<-m><fake_facebook><--serve><--port><1><--title=a b>"),
        (["--title=*", "--with-fake-facebook"], "<-m><fake_facebook><--serve><--title=*>"),
    ],
)  # fmt: skip
def test_the_server_takes_its_arguments_in_any_order(project, arguments, expected):
    """The script's own flag may stand anywhere; the others go on as they are, with blanks and stars."""
    stub(project / "bin" / "venv", "#!/bin/sh\n")
    stub(project / ".venv" / "bin" / "python", '#!/bin/sh\nprintf "<%s>" "$@"\n')
    ran = run(project / "bin" / "serve", *arguments)
    assert ran.stdout == expected.format(root=project) and ran.stderr == ""


def test_generated_clients_are_tried_with_the_tools_that_they_take(project, tmp_path):
    """Those of npm as well, and pytest hears of it."""
    stub(project / "bin" / "venv", "#!/bin/sh\necho $1\n")
    stub(project / ".venv" / "bin" / "python", '#!/bin/sh\nprintf "<%s>" "$@"\n')
    stub(tmp_path / "tools" / "npm", '#!/bin/sh\necho "npm $1 $3"\n')
    tools = f"{tmp_path / 'tools'}:{os.environ['PATH']}"
    said = run(project / "bin" / "test", "--clients", "--no-browser", PATH=tools).stdout
    assert said.startswith("requirements-clients.txt\nnpm install tests/node\n") and said.endswith("<--clients>")


def test_the_package_is_tried_with_the_tools_that_it_takes(project):
    """They are bigger than all that other tests need, so only this one asks for them."""
    stub(project / "bin" / "venv", "#!/bin/sh\necho $1\n")
    stub(project / ".venv" / "bin" / "python", '#!/bin/sh\nprintf "<%s>" "$@"\n')
    said = run(project / "bin" / "test", "--install", "--no-browser", "-n0").stdout
    assert said.startswith("requirements-install.txt\n") and said.endswith("<--install><-n0>")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_packages_with_hashes_are_installed_apart_from_others(project, quick, name):
    """pip takes nothing without a hash beside something that has one."""
    (project / "installer.py").write_text("import sys\nprint(*sys.argv[1:], file=open('asked', 'a'))\n")
    assert run(project / "bin" / "venv", name, PYTHON=str(quick)).returncode == 0
    asked = (project / "asked").read_text().splitlines()
    assert [one.split("-r ")[1] for one in asked] == list(dict.fromkeys(["requirements.txt", name]))


# --- half-made state


def test_what_was_broken_off_is_made_anew(project):
    """Ctrl+C in the first run, or a machine that goes down: the next run begins again."""
    python = project / ".venv" / "bin" / "python"
    first = subprocess.Popen(
        [project / "bin" / "venv", "requirements.txt"], env=environment(PYTHON=sys.executable), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(python.exists)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert not is_whole(project)
    assert make_venv(project, sys.executable).returncode == 0 and is_whole(project)


def test_what_is_done_is_not_done_again(project, quick):
    """A start costs no more than a look."""
    assert make_venv(project, quick).returncode == 0 and is_whole(project)
    again = make_venv(project, "/nowhere/python")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_an_installation_that_was_broken_off_is_made_anew(project, quick):
    """Whatever it has left: what a package lacks is not to be seen from outside."""
    assert make_venv(project, quick).returncode == 0
    (project / "requirements.txt").write_text("installer.py quick\n")
    killing = "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"
    module = next((project / ".venv" / "lib").glob("python*/site-packages/pip/__main__.py"))
    module.write_text(killing)
    assert make_venv(project, quick).returncode == -signal.SIGKILL
    assert make_venv(project, quick).returncode == 0
    assert is_whole(project) and module.read_text() == PIP


def test_another_python_gets_an_environment_of_its_own(project, quick):
    """After the system's upgrade .venv/bin/python is another Python, for which nothing was installed."""
    assert make_venv(project, quick).returncode == 0
    lib = project / ".venv" / "lib"
    here = lib / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    here.rename(lib / "python3.1")
    assert not is_whole(project)
    assert make_venv(project, quick).returncode == 0 and is_whole(project)


def test_a_python_that_is_gone_is_replaced(project, quick):
    """The links lead nowhere: they are no reason to give up, nor to be kept."""
    assert make_venv(project, quick).returncode == 0
    for python in ("python", "python3"):
        (project / ".venv" / "bin" / python).unlink()
        (project / ".venv" / "bin" / python).symlink_to("/nowhere/python")
    assert make_venv(project, quick).returncode == 0 and is_whole(project)


def test_two_first_runs_at_once_make_one_environment(project, quick):
    """The second waits for the first, instead of taking what is half made away from it."""
    command, env = [project / "bin" / "venv", "requirements.txt"], environment(PYTHON=str(quick))
    (project / "slowly").touch()
    first = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    until((project / ".venv" / "bin" / "python").exists)
    second = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(BRIEFLY)
    (project / "slowly").unlink()
    said = [process.communicate()[1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert is_whole(project) and ["Making .venv" in one for one in said] == [True, False]


def test_a_failed_installation_leaves_what_was_there(project, quick):
    """A package that can't be had: the old version can still be started, without the network."""
    assert make_venv(project, quick).returncode == 0
    mark = project / ".venv" / "mark"
    mark.touch()
    (project / "requirements.txt").write_text("/nowhere/at-all.whl\n")
    assert make_venv(project, quick).returncode == 1
    (project / "requirements.txt").write_text("installer.py\n")
    assert make_venv(project, quick).returncode == 0 and mark.exists()
