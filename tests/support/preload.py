"""What each server would do at its start or at its first page, whatever its settings: done once, before they are forked."""

import gc

import tornado.web

import handlers
import handlers.login.openid
from handlers.http.static import ROOT
from handlers.http.templates import LOADER

tornado.web.Application(handlers.ROUTES)  # so that the patterns of addresses are compiled
for path in ROOT.joinpath("templates").glob("*.html"):
    LOADER.load(path.name)
gc.collect()
gc.freeze()  # what is here is shared: a look at it would copy it
