"""Charts from a recorder with a long past: how long they take, and how much of what."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from pathlib import Path
import tempfile

from tests.live.client import Json

from .attachments import snapshot
from .bench import Bench, say
from .figures import COURIER, Measurement
from .house import House, house
from .servers import endpoints_of, settle

RECORDER = "recorder:\n  commit_interval: 1\nhistory:\n"
"""For the configuration of a Home Assistant that remembers."""
_SENSORS = [f"sensor.bench_{number}" for number in range(4)]
_METERS = [f"sensor.bench_meter_{number}" for number in range(4)]
DAY = "chart of a day, a value a minute"
MONTH = "chart of 30 days, a value a minute"
YEARS = "chart of two years"
FOUR = "four charts: three rooms, a month, two years, a month of meters"
CARD = "a card with four charts and three snapshots of 3840 x 2160"
CHARTS: dict[str, list[Json]] = {
    DAY: [{"entities": _SENSORS[:1], "period": {"hours": 24}}],
    "chart of a day, three entities": [{"entities": _SENSORS[:3], "period": {"hours": 24}}],
    MONTH: [{"entities": _SENSORS[:1], "period": {"days": 30}}],
    YEARS: [{"entities": _SENSORS[:1], "period": {"days": 730}}],
    "bars of 30 days": [{"entities": _METERS[:1], "period": {"days": 30}}],
    FOUR: [
        {"entities": _SENSORS[:3], "period": {"hours": 24}},
        {"entities": _SENSORS[:1], "period": {"days": 30}},
        {"entities": _SENSORS[1:2], "period": {"days": 730}},
        {"entities": _METERS[:1], "period": {"days": 30}},
    ],
}


async def measure(bench: Bench) -> None:
    """Send mails with charts, in a Home Assistant of their own with a recorder on disk.

    The time is that of the action, less that of one without charts: asking, drawing and sending
    more.
    """
    say(f"Charts: {bench.days} days of minutes and {bench.years} years of hours")
    with tempfile.TemporaryDirectory(prefix="email-courier-charts-") as folder:
        async with house(Path(folder) / "config", bench.authority_pem, RECORDER) as home:
            await home.remember(bench.days, bench.years)
            endpoint = endpoints_of(bench.postfix)[0]
            account = await home.add(COURIER, endpoint)
            sent: Json = {"message": "Look", "layout": "card", "entity_id": account.entities}
            for charts in (None, *CHARTS.values()):  # what is imported once, and grows once
                warm: Json = sent | ({} if charts is None else {"charts": charts})
                await home.perform("email_courier.send_message", warm)
            await settle(bench.postfix)
            for _ in range(bench.rounds):
                bare = await home.perform("email_courier.send_message", sent)
                await settle(bench.postfix)
                for name, charts in CHARTS.items():
                    data = {**sent, "charts": charts}
                    taken = await home.perform("email_courier.send_message", data, watch=True)
                    add = bench.figures.add
                    seconds = taken.seconds - bare.seconds
                    add(Measurement(f"{name}: time", "ms"), COURIER, 1000 * seconds)
                    add(Measurement(f"{name}: longest stall", "ms"), COURIER, 1000 * taken.stall)
                    memory = taken.memory / 1_000_000
                    add(Measurement(f"{name}: extra memory", "MB"), COURIER, memory)
                    [mail] = await asyncio.to_thread(bench.postfix.mails)
                    kilobytes = _largest_picture(mail.raw) / 1000
                    add(Measurement(f"{name}: picture", "kB"), COURIER, kilobytes)
                    await settle(bench.postfix)
            await _with_snapshots(bench, home, sent)


async def _with_snapshots(bench: Bench, home: House, sent: Json) -> None:
    """Send what a weekly look at the house could be: charts, and pictures that are made smaller."""
    say(CARD)
    file = await asyncio.to_thread(home.add_file, "snapshot.jpg", snapshot())
    data: Json = {
        **sent,
        "charts": CHARTS[FOUR],
        "max_width": 1280,
        "attachments": [{"path": str(file)}] * 3,
    }
    add = bench.figures.add
    for _ in range(bench.rounds):
        taken = await home.perform("email_courier.send_message", data, watch=True)
        add(Measurement(f"{CARD}: time", "ms"), COURIER, 1000 * taken.seconds)
        add(Measurement(f"{CARD}: longest stall", "ms"), COURIER, 1000 * taken.stall)
        add(Measurement(f"{CARD}: extra memory", "MB"), COURIER, taken.memory / 1_000_000)
        await settle(bench.postfix)


def _largest_picture(content: bytes) -> int:
    """Return how many bytes the largest picture of a mail has."""
    mail = message_from_bytes(content, policy=policy.default)
    pictures = (part for part in mail.walk() if part.get_content_type() == "image/png")
    return max(len(part.get_content()) for part in pictures)
