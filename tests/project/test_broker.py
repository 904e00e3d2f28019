"""The embedded broker carries messages whole, whoever looks while they are written."""

from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from revops_registry.broker import Channel
from revops_registry.celery import app


@pytest.fixture
def channel(tmp_path):
    """A channel of the app's own transport in an empty directory."""
    queue = tmp_path / "queue"
    queue.mkdir()
    options = {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(tmp_path / "control"),
    }
    with Connection("filesystem://", transport_options=options) as connection:
        yield connection.default_channel


def test_filesystem_url_means_our_transport(channel):
    assert app.main == "revops_registry"  # importing the app is what sets it
    assert isinstance(channel, Channel)


def test_message_comes_back_as_it_was_put(channel):
    channel._put("celery", {"task": "seal", "words": "Größe"})

    assert channel._get("celery") == {"task": "seal", "words": "Größe"}
    with pytest.raises(Empty):
        channel._get("celery")


def test_messages_come_in_the_order_they_were_put(channel, monkeypatch):
    clock = iter((1.001, 1.002, 1.003))
    monkeypatch.setattr("revops_registry.broker.monotonic", lambda: next(clock))
    for number in (1, 2, 3):
        channel._put("celery", {"number": number})

    assert [channel._get("celery")["number"] for _ in range(3)] == [1, 2, 3]


def test_message_is_not_seen_before_it_is_written_whole(channel, monkeypatch):
    seen = []
    write = Path.write_text

    def look_before_and_after(path, *arguments, **named):
        path.touch()
        seen.append(channel._size("celery"))
        written = write(path, *arguments, **named)
        seen.append(channel._size("celery"))
        with pytest.raises(Empty):
            channel._get("celery")
        return written

    monkeypatch.setattr(Path, "write_text", look_before_and_after)
    channel._put("celery", {"task": "seal"})

    assert seen == [0, 0]
    assert channel._size("celery") == 1


def test_queues_bound_to_a_new_exchange_at_once_are_both_kept(channel, monkeypatch):
    write = Path.write_text

    def be_overtaken(path, *arguments, **named):
        monkeypatch.setattr(Path, "write_text", write)
        channel._queue_bind("exchange", "other", "", "other")
        return write(path, *arguments, **named)

    monkeypatch.setattr(Path, "write_text", be_overtaken)
    channel._queue_bind("exchange", "mine", "", "mine")

    assert {bound.queue for bound in channel.get_table("exchange")} == {"mine", "other"}
    assert list(channel.control_folder.glob("*.part")) == []
