"""The embedded broker: kombu's file-system transport, with files that appear whole.

Kombu opens a message's file under its final name and writes it a moment later. A worker that looks
in between takes an empty file, fails to decode it, and ends, and everything with it. That happened
within minutes.
"""

import contextlib
import uuid
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Writes each file under another name first; naming it is one step for whoever looks."""

    # The stubs name this argument once "message" and once "payload"; kombu passes it by place.
    def _put(  # type: ignore[override]
        self, queue: str, payload: Any, **_options: Any
    ) -> None:
        # The name that kombu's _get looks for: the time sorts, the queue's name selects.
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        place = Path(self.data_folder_out) / name
        unnamed = _write_beside(place, dumps(payload))
        unnamed.replace(place)

    def _queue_bind(  # type: ignore[override]  # the stubs allow None, kombu passes texts
        self, exchange: str, routing_key: str, pattern: str, queue: str
    ) -> None:
        # The stubs leave this method out; kombu's own _queue_bind calls it the same way.
        table: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]
        if not table.exists():
            table.parent.mkdir(parents=True, exist_ok=True)
            unnamed = _write_beside(table, "[]")
            # Another process may have made it meanwhile, and bound its queue: then theirs stands.
            with contextlib.suppress(FileExistsError):
                table.hardlink_to(unnamed)
            unnamed.unlink()
        super()._queue_bind(exchange, routing_key, pattern, queue)


def _write_beside(place: Path, text: str) -> Path:
    unnamed = place.with_name(f"{place.name}.{uuid.uuid4()}.part")
    unnamed.write_text(text, encoding="utf-8")
    return unnamed


class Transport(filesystem.Transport):
    Channel = Channel


def use_for_filesystem_urls() -> None:
    """Let ``filesystem://`` mean this transport in the whole process."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
