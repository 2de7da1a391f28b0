"""Handlers that are loaded at the first request for them."""

import json

import pytest
from tornado.httpclient import AsyncHTTPClient

from handlers.http import on_demand
from tests.support.in_process import running


@pytest.mark.parametrize("error", [ImportError("cannot import name"), SyntaxError("half a file")])
async def test_what_can_not_be_loaded_is_answered_as_a_fault(tmp_path, monkeypatch, caplog, error):
    """In the midst of an update, say: in the one shape, and in the log; when the file is there, so is the page."""

    def load(name):
        raise error

    async with running(tmp_path) as house:
        client = AsyncHTTPClient(force_instance=True)
        url = f"http://127.0.0.1:{house.port}/api/v1/search?q=words"
        with monkeypatch.context() as broken:
            broken.setattr(on_demand, "import_object", load)
            failed = await client.fetch(url, raise_error=False)
        assert failed.code == 500 and json.loads(failed.body)["error"]["code"] == "internal"
        assert str(error) in caplog.text
        assert (await client.fetch(url)).code == 200
        client.close()
