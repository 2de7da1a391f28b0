"""Those who pin messages."""

import asyncio
import sys

from torture.history import History
from torture.nodes import ROOT
from torture.people import Person


async def make_moderator(person: Person, url: str) -> None:
    """Signs somebody up, and makes them a moderator by `bin/admin promote`."""
    await person.sign_up()
    arguments = ["-m", "admin", f"--database-url={url}", "promote", str(person.name)]
    quiet = asyncio.subprocess.DEVNULL
    command = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=quiet)
    if await command.wait():
        person.world.strange.append(f"{person.name} could not be promoted")


async def keep_pinning(person: Person, history: History, pause: float) -> None:
    while not person.world.is_ending:
        await pin_one(person, history)
        await asyncio.sleep(person.world.rng.uniform(0, 10 * pause))


async def pin_one(person: Person, history: History) -> None:
    """Pins one of the newest messages, which may be deleted by then; or takes away the pin that was given last."""
    rng = person.world.rng
    ids = [post.ids[0] for post in history.posts[-20:] if post.ids]
    ends = bool(history.pins) and rng.random() < 0.2
    if not ids and not ends:
        return
    id = history.pins[-1] if ends else rng.choice(ids)
    history.pins += [] if ends else [id]
    answer = await person.insist("DELETE" if ends else "PUT", f"/api/v1/messages/{id}/pin")
    if answer.status not in (200, 404):
        person.world.strange.append(f"{person.name} did not pin message {id}: {answer}")
