"""Every event that the registry records has a sentence: the log's readers meet no bare names."""

import ast
import re
from pathlib import Path

import pytest

from people import security_words

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("reviews", "boundaries", "functions_catalog", "notifications", "people", "audit")
WRITERS = {"record", "_record", "_tell"}
NAME = re.compile(r"[a-z_]+\.[a-z_]+")


def recorded_names():
    """Names of events as they stand, literally, in a call of what writes to the log."""
    found = set()
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in WRITERS:
                    found |= {
                        argument.value
                        for argument in node.args
                        if isinstance(argument, ast.Constant)
                        and isinstance(argument.value, str)
                        and NAME.fullmatch(argument.value)
                    }
    return found


def test_names_are_found_in_every_room_that_records():
    names = recorded_names()

    assert {"revision.cosigned", "hold.placed", "review.scheduled", "function.added"} <= names
    assert len(names) > 90


@pytest.mark.parametrize("name", sorted(recorded_names()))
def test_recorded_event_has_a_sentence(name):
    assert name in security_words._WORDS
