"""What each server would do at its start or at its first page, whatever its settings: done once, before they are forked."""

import gc
import importlib

import tornado.web

import board.passwords
from handlers.http.static import ROOT
from handlers.http.templates import LOADER
from tests.support import hashing
from tests.support.routes import ROUTES

for name in ("argon2", "handlers.login.openid"):  # which are loaded when they are needed
    importlib.import_module(name)
tornado.web.Application(ROUTES)  # so that the patterns of addresses are compiled
for path in ROOT.joinpath("templates").glob("*.html"):
    LOADER.load(path.name)
board.passwords.common()
hashing.use(hashing.CHEAP)
gc.collect()
gc.freeze()  # what is here is shared: a look at it would copy it
