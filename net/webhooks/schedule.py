"""When a failed try is repeated, and when a webhook is switched off."""

import random
from collections.abc import Callable

from storage.webhooks import Webhook

QUICK = (5.0, 20.0)
"""Seconds after the first failures."""
MINUTE, HOUR = 60.0, 3600.0
DAY_MS, WEEK_MS = 86_400_000, 7 * 86_400_000
JITTER = 0.25
"""A pause is shortened by up to this share, so that receivers are not asked all at once. It never gets longer."""


def pause_after(webhook: Webhook, retry_after: float, chance: Callable[[], float] = random.random) -> float:
    """Returns the seconds until the next try. Time is counted by the pauses themselves, so no clock that is set matters."""
    later = MINUTE if webhook.waited < DAY_MS else HOUR
    pause = QUICK[webhook.failures] if webhook.failures < len(QUICK) else later
    return max(pause * (1 - JITTER * chance()), min(retry_after, HOUR))


def is_over(webhook: Webhook) -> bool:
    """Whether it has failed for a week."""
    return webhook.waited >= WEEK_MS


def left(webhook: Webhook, now_ms: float) -> float:
    """Returns the seconds until the try that was planned before a start. A clock that was set makes them no longer than the
    longest pause.
    """
    return 0 if webhook.next_at is None else min(max((webhook.next_at - now_ms) / 1000, 0), HOUR)
