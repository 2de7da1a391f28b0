"""What Longboard's commands are called where it runs from: a checkout, or the installed package."""

import pathlib

IS_INSTALLED = pathlib.Path(__file__).with_name("__main__.py").exists()
"""Only the package has that file: deploy/longboard/__main__.py."""
SERVE, ADMIN = ("longboard", "longboard admin") if IS_INSTALLED else ("bin/serve", "bin/admin")
USAGE = (
    "longboard [serve] [--SETTING=VALUE ...]\n       longboard admin COMMAND"
    if IS_INSTALLED
    else "bin/serve [--SETTING=VALUE ...]\n       python server.py [--SETTING=VALUE ...]"
)
MORE = (
    "longboard admin --help lists the commands that look after a board."
    if IS_INSTALLED
    else "bin/serve --with-fake-facebook also starts a Facebook on this machine, to try logging in with it."
)
