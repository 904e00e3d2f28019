"""Headers of every kind of page, and what production adds to them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.admindocs.views import simplify_regex
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from notifications.models import OutgoingMail
from people.models import Person
from revops_registry.headers import NOT_STORED, PERMISSIONS_POLICY
from tests.boundaries.factories import all_agree, draft, frozen, small_catalog
from tests.boundaries.factories import everybody as everybody_of_northwind
from tests.people.factories import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
# What fills the gaps of an address: the page itself may well say that there is no such thing.
SAMPLES = {
    "pk": "1",
    "number": "NC-RB",
    "sequence": "1",
    "key": "cro",
    "office": "cro",
    "document": "NC-RB",
    "content_type_id": "1",
    "object_id": "1",
    "provider_id": "sso",
    "app_label": "audit",
    "url": "nothing",
    "final_catch_all_url": "nothing",
    "token": "made-up",
    "other": "other",
    "uidb36": "1",
}
# A mail brings its own style; it is shown in a sandbox that lets nothing else in or out.
OWN_POLICY = {"notifications:mail_html"}


def addresses(patterns, prefix="", namespace=""):
    """Every (name, path) of the product, each gap filled with a sample."""
    for one in patterns:
        here = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            inner = f"{namespace}{one.namespace}:" if one.namespace else namespace
            yield from addresses(one.url_patterns, here, inner)
        elif isinstance(one, URLPattern):
            # "<int:pk>" and "(?P<key>.+)" both become "<pk>", "<key>".
            plain = re.sub(r"<\w+:(\w+)>", r"<\1>", simplify_regex(here))
            path = re.sub(r"<(\w+)>", lambda gap: SAMPLES.get(gap.group(1), "1"), plain)
            yield f"{namespace}{one.name or ''}", path


ADDRESSES = sorted(set(addresses(get_resolver().url_patterns)))


@pytest.fixture
def northwind(company):
    """Everybody of the demo, all of them staff; a mail, and a draft."""
    company.is_demo = True
    company.save()
    people = everybody_of_northwind()
    Person.objects.update(is_staff=True)
    small_catalog()
    drafted = draft(people)
    OutgoingMail.objects.create(
        pk=people["ceo"].pk,
        key="one",
        kind="x",
        name="M",
        address="m@northwind.example",
        subject="S",
        text="T",
        html="<html><head></head><p>T</p></html>",
        message_id="<one@localhost>",
        created_at=timezone.now(),
        not_before=timezone.now(),
    )
    return {**people, "draft": drafted}


def paths(northwind):
    """Every named path, where it can be with what there is at Northwind."""
    known = {"/people/1/": f"/people/{northwind['ceo'].pk}/"}
    known["/mailbox/1/"] = f"/mailbox/{northwind['ceo'].pk}/"
    known["/functions/cro/"] = "/functions/deal_desk/"
    for name, path in ADDRESSES:
        for sample, real in known.items():
            path = path.replace(sample, real)
        yield name, path


def check(answer, name):
    policy = answer["Content-Security-Policy"]
    if name in OWN_POLICY and answer.status_code == 200:
        assert policy.startswith("sandbox ")
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
    else:
        directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert "unsafe" not in policy, name
        assert "*" not in policy, name
        for directive in ("default-src", "script-src", "style-src", "form-action", "base-uri"):
            assert directives[directive] == "'self'", name
        assert directives["frame-ancestors"] == directives["object-src"] == "'none'", name
        assert answer["X-Frame-Options"] == "DENY", name
    assert answer["X-Content-Type-Options"] == "nosniff", name
    assert answer["Referrer-Policy"] == "same-origin", name
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin", name
    assert answer["Permissions-Policy"] == PERMISSIONS_POLICY, name


def check_html(html, name):
    """What the policy would refuse is not there in the first place."""
    if name in OWN_POLICY:
        return
    assert not re.search(r"<style[\s>]|\sstyle=|\son[a-z]+=\"|javascript:", html), name
    for script in re.findall(r"<script\b[^>]*>", html):
        assert "src=" in script or 'type="application/json"' in script, (name, script)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("who", "stage"),
    [
        ("visitor", "draft"),
        ("administrator", "draft"),
        ("cro", "draft"),
        ("cro", "frozen"),
    ],
)
def test_every_page_has_the_strict_headers(who, stage, northwind):
    if stage == "frozen":
        frozen(all_agree(northwind["draft"], northwind), northwind)
    statuses = {}
    client = Client()
    if who != "visitor":
        client.force_login(northwind[who])
    for name, path in paths(northwind):
        answer = client.get(path)
        # Nothing beats here: the registry is not ready, and says so.
        assert answer.status_code < 500 or name == "readyz", (name, path)
        check(answer, name)
        if answer.status_code == 200 and "text/html" in answer["Content-Type"]:
            check_html(answer.content.decode(), name)
        statuses.setdefault(answer.status_code, []).append(name)
        if who != "visitor" and answer.status_code == 200 and name not in ("healthz", "readyz"):
            kept = answer["Cache-Control"]
            own = ("private", "no-cache", "no-store", "max-age=0")
            assert any(word in kept for word in own), (name, kept)
            assert "no-store" in kept or not path.startswith(NOT_STORED), (name, kept)
    # The walk did come to pages: names that no longer fit would all be 404.
    least = 9 if who == "visitor" else 35
    assert len(statuses[200]) >= least, statuses
    assert len(ADDRESSES) > 100


def test_walk_knows_the_pages_that_matter():
    names = {name for name, _ in ADDRESSES}
    assert {
        "account_login",
        "account_reset_password",
        "admin:index",
        "api-docs",
        "boundaries:verify",
        "functions_catalog:lookup",
        "notifications:mail_html",
        "people:account",
        "people:security",
        "reviews:list",
    } <= names
    for model in admin.site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        assert {f"admin:{label}_changelist", f"admin:{label}_change"} <= names


def test_device_gives_pages_passkeys_and_nothing_else():
    policy = dict(part.split("=") for part in PERMISSIONS_POLICY.split(", "))
    assert {name for name, to in policy.items() if to != "()"} == {
        "publickey-credentials-get",
        "publickey-credentials-create",
    }
    assert policy["publickey-credentials-get"] == "(self)"
    assert policy["camera"] == "()"


@pytest.mark.django_db
def test_signing_out_makes_browsers_forget_what_they_kept(executives):
    client = Client()
    client.post(reverse("account_login"), {"login": executives["cro"].email, "password": PASSWORD})
    assert "private" in client.get("/reviews/")["Cache-Control"]
    assert "no-store" not in client.get("/reviews/")["Cache-Control"]
    assert client.post(reverse("account_logout"))["Clear-Site-Data"] == '"cache"'
    assert "Clear-Site-Data" not in client.get(reverse("account_logout"))


@pytest.mark.django_db
def test_answers_are_told_apart_by_cookie(executives):
    client = Client()
    client.force_login(executives["cro"])
    assert "Cookie" in client.get("/reviews/")["Vary"]


# --- Production -----------------------------------------------------------------------------------


def production(tmp_path, *command, **environment):
    """Run ``command`` in a process with the settings of production."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "STATE_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "revops_registry.settings",
            "PUBLIC_URL": "https://registry.example.com",
            "ALLOWED_HOSTS": "registry.example.com",
            "SECRET_KEY": "k7Jq2vR9xT4mW8zB1nC6yH3pL5dF0gSaUeIoXtQwErVbNm-" + "Zc_4",
            "KEYS_SECRET": "long enough for a test",
            **environment,
        },
        capture_output=True,
        text=True,
    )


def test_check_for_deployment_is_clean(tmp_path):
    done = production(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "WARNINGS" not in done.stderr + done.stdout


def test_production_speaks_https_only_and_says_so_for_a_year(tmp_path):
    program = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "settings.STORAGES['staticfiles']['BACKEND'] ="
        " 'django.contrib.staticfiles.storage.StaticFilesStorage'\n"
        "from django.test import Client\n"
        "c = Client(headers={'host': 'registry.example.com'})\n"
        "plain = c.get('/healthz'), c.get('/no/such/page')\n"
        "print(plain[0].status_code, plain[1].status_code, plain[1]['Location'])\n"
        "print(c.get('/healthz', secure=True)['Strict-Transport-Security'])\n"
        "print(Client(headers={'host': 'evil.example'}).get('/healthz', secure=True).status_code)\n"
    )
    done = production(tmp_path, "-c", program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "200 301 https://registry.example.com/no/such/page",
        "max-age=31536000; includeSubDomains; preload",
        "400",
    ]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"OIDC_ISSUER": "https://login.example.com"}, "OIDC_CLIENT_ID is not"),
        (
            {"OIDC_ISSUER": "http://login.example.com", "OIDC_CLIENT_ID": "x"},
            "OIDC_ISSUER must begin with https://",
        ),
        ({"REQUIRE_SECOND_FACTOR": "some"}, "offices, everybody or nobody"),
    ],
)
def test_settings_that_contradict_each_other_fail_at_the_start(environment, sentence, tmp_path):
    done = production(tmp_path, "manage.py", "check", **environment)
    assert done.returncode != 0
    assert sentence in done.stderr


def test_issuer_on_the_machine_itself_needs_no_https(tmp_path):
    done = production(
        tmp_path,
        "manage.py",
        "check",
        OIDC_ISSUER="http://localhost:9400",
        OIDC_CLIENT_ID="boundary-registry",
    )
    assert done.returncode == 0, done.stderr
