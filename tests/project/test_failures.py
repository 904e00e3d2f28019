"""A server error shows a reference that the log has too."""

import re

import pytest
from django.test import Client


@pytest.mark.django_db
def test_server_error_page_shows_the_reference_that_is_logged(monkeypatch, caplog):
    from boundaries.views import verify

    def fail(*_args, **_kwargs):
        raise RuntimeError("made up by a test")

    monkeypatch.setattr(verify, "VerifyForm", fail)
    answer = Client(raise_request_exception=False).get("/verify/")

    assert answer.status_code == 500
    shown = re.search(r"<code>([0-9a-f]{8})</code>", answer.content.decode())
    assert shown is not None
    assert any(shown.group(1) in record.getMessage() for record in caplog.records)
    assert "made up by a test" not in answer.content.decode()
