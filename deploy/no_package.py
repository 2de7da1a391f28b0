"""A build backend that refuses: Longboard runs from its folder, and `pip install .` says so."""

import sys
from typing import NoReturn


def refuse(*_: object, **__: object) -> NoReturn:
    sys.exit(
        "Longboard is not a package: start it with bin/serve, or pip install -r requirements.txt && python server.py"
    )


get_requires_for_build_wheel = get_requires_for_build_sdist = get_requires_for_build_editable = refuse
build_wheel = build_sdist = build_editable = refuse
