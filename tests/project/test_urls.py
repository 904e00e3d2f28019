"""What answers where, and with which headers."""

import pytest
from django.urls import reverse


@pytest.mark.parametrize("path", ["signup/", "email/", "confirm-email/", "signup/?email=a@b.c"])
def test_accounts_cannot_be_opened_or_moved_by_strangers(client, db, path):
    assert client.get(f"/accounts/{path}").status_code == 404
    assert client.post(f"/accounts/{path}", {"email": "a@b.example"}).status_code == 404


def test_pages_need_a_sign_in(client, db):
    answer = client.get(reverse("functions_catalog:lookup"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_pages_have_the_strict_policy(client, db):
    answer = client.get(reverse("account_login"))
    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "data:" not in policy
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    for name in ("default-src", "script-src", "style-src", "img-src", "form-action", "base-uri"):
        assert directives[name] == "'self'"
    assert directives["frame-ancestors"] == directives["object-src"] == "'none'"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_api_docs_may_show_data_images_and_nothing_more(client, db):
    policy = client.get(reverse("api-docs"))["Content-Security-Policy"]
    assert "img-src 'self' data:" in policy
    assert "unsafe" not in policy


def test_schema_describes_the_api(client, executives):
    client.force_login(executives["member"])
    answer = client.get(reverse("api-schema"), headers={"accept": "application/json"})
    assert answer.status_code == 200
    assert "/api/v1/functions/" in answer.content.decode()


def test_unknown_address_is_a_page_of_ours(client, db):
    answer = client.get("/no/such/page")
    assert answer.status_code == 404
    assert "404.html" in [template.name for template in answer.templates]


def test_admin_has_no_door_of_its_own(client, db):
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
