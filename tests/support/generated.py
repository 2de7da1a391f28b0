"""Clients that well-known generators make of the description that a server serves, each behind the same `call`."""

import contextlib
import importlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

import httpx

from tests.support.patience import PATIENCE
from tests.support.server import ROOT

TOOLS = pathlib.Path(sys.executable).parent
NODE = ROOT / "tests" / "node"


def made(*command, folder):
    """Runs a generator, which must not fail; what it said."""
    run = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def snake(name):
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


class Generated:
    """`call` makes one call by its operationId; it returns the status, and what was read, as it would be in JSON."""

    def __init__(self, server, folder):
        self.server = server
        self.folder = folder
        self.address = f"{server.url}/api/v1/openapi.json"
        described = httpx.get(self.address, timeout=PATIENCE).json()
        self.calls = {
            call["operationId"]: call
            for methods in described["paths"].values()
            for method, call in methods.items()
            if method != "parameters"
        }
        with self.importing():
            self.generate()

    @contextlib.contextmanager
    def importing(self):
        sys.path.insert(0, str(self.folder))
        try:
            yield
        finally:
            sys.path.remove(str(self.folder))

    def body_name(self, id):
        return self.calls[id]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]

    def end(self):
        pass


class OpenApiPythonClient(Generated):
    """https://github.com/openapi-generators/openapi-python-client"""

    def generate(self):
        config = self.folder / "config.json"
        config.write_text('{"post_hooks": []}')
        name = "made_by_openapi_python_client"
        said = made(
            TOOLS / "openapi-python-client", "generate", "--url", self.address, "--output-path", self.folder / name,
            "--meta", "none", "--config", config, folder=self.folder,
        )  # fmt: skip
        # What it can't read it leaves out, with a warning: nothing, but the feeds, which are XML.
        feeds = ["GET /b/{slug}/feed.atom", "GET /feed", "GET /feed.atom"]
        assert sorted(re.findall(r"parsing (\S+ \S+)", said)) == feeds, said
        self.package = importlib.import_module(name)
        self.models = importlib.import_module(f"{name}.models")
        self.modules = {
            id: importlib.import_module(f"{name}.api.{call['tags'][0]}.{snake(id)}") for id, call in self.calls.items()
        }

    def call(self, id, *path, body=None, query=None, token=None, url=None):
        url = url or self.server.url
        client = (
            self.package.AuthenticatedClient(url, token=token, timeout=PATIENCE)
            if token
            else self.package.Client(url, timeout=PATIENCE)
        )
        values = dict(query or {})
        if body is not None:
            values["body"] = getattr(self.models, self.body_name(id)).from_dict(body)
        with client:
            response = self.modules[id].sync_detailed(*path, client=client, **values)
        parsed = response.parsed
        return int(response.status_code), parsed.to_dict() if hasattr(parsed, "to_dict") else parsed


class OpenApiGenerator(Generated):
    """https://openapi-generator.tech, the Python client."""

    def generate(self):
        name = "made_by_openapi_generator"
        made(
            TOOLS / "openapi-generator-cli", "generate", "-g", "python", "-i", self.address, "-o", self.folder,
            f"--additional-properties=packageName={name}", folder=self.folder,
        )  # fmt: skip
        self.package = importlib.import_module(name)

    def call(self, id, *path, body=None, query=None, token=None, url=None):
        values = dict(query or {})
        if body is not None:
            kind = self.body_name(id)
            values[snake(kind)] = getattr(self.package, kind).from_dict(body)
        configuration = self.package.Configuration(host=url or self.server.url, access_token=token)
        with self.package.ApiClient(configuration) as client:
            api = getattr(self.package, f"{self.calls[id]['tags'][0].title()}Api")(client)
            try:
                response = getattr(api, f"{snake(id)}_with_http_info")(*path, **values)
            except self.package.ApiException as refused:
                return refused.status, refused.data.to_dict()
            finally:
                client.rest_client.pool_manager.clear()
            data = response.data
            return response.status_code, json.loads(data.to_json()) if hasattr(data, "to_json") else data


class Orval(Generated):
    """https://orval.dev, the TypeScript client for fetch, checked by the compiler and run by Node."""

    def generate(self):
        tools = NODE / "node_modules" / ".bin"
        made(tools / "orval", "--input", self.address, "--output", "client.ts", "--client", "fetch", "--mode", "single",
             folder=self.folder)  # fmt: skip
        for name in ("calls.ts", "package.json"):
            shutil.copy(NODE / name, self.folder)
        made(tools / "tsc", "--strict", "--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler",
             "--lib", "es2022,dom", "calls.ts", folder=self.folder)  # fmt: skip
        self.process = subprocess.Popen(
            ["node", "calls.js"], cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def call(self, id, *path, body=None, query=None, token=None, url=None):
        values = [*path, *(value for value in (body, query) if value is not None)]
        line = {"url": url or self.server.url, "id": id, "values": values, "token": token}
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["status"], answer["data"]

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0
        self.process.stdout.close()
