"""What each server would do at its start or at its first page, whatever its settings: done once, before they are forked."""

import gc

import tornado.web

import board.passwords
import handlers
import handlers.login.openid
from handlers.http.static import ROOT
from handlers.http.templates import LOADER
from tests.support import hashing

tornado.web.Application(handlers.ROUTES)  # so that the patterns of addresses are compiled
for path in ROOT.joinpath("templates").glob("*.html"):
    LOADER.load(path.name)
board.passwords.common()
hashing.use(hashing.CHEAP)
gc.collect()
gc.freeze()  # what is here is shared: a look at it would copy it
