"""Small canonical contents, to compare without a database."""


def row(key, owner="cro", *, n=1, parts=(), **more):
    """A row; ``parts`` are (key, owner) of a hybrid one."""
    return {
        "reference": f"4.{n}",
        "function": key,
        "name": key.replace("_", " ").capitalize(),
        "category": "commercial",
        "touches_financial_reporting": False,
        "owner": "hybrid" if parts else owner,
        "sub_scopes": [
            {"key": part, "name": part.capitalize(), "owner": its_owner}
            for part, its_owner in parts
        ],
        "scope_in": "Approve discounts up to 10%.",
        "scope_out": "",
        "consulted": ["coo"],
        "informed": [],
        "rationale": "Close to the field.",
    } | more


def left_out(key, reason="Not needed.", *, n=1):
    name = key.replace("_", " ").capitalize()
    return {"reference": f"4.{n}", "function": key, "name": name, "reason": reason}


def article(number, key, text="", **data):
    found = {
        "number": number,
        "key": key,
        "title": key.replace("_", " ").capitalize(),
        "text": text,
    }
    return found | ({"data": data} if data else {})


def content(*rows, number=1, gone=(), articles=(), parties=("cro", "coo", "cfo"), **more):
    """A content of these rows; articles 1 and 4 are always there."""
    return {
        "schema": "revops-boundary/1",
        "organisation": "Northwind Cloud",
        "document": {"number": "NC-RB", "title": "The boundary", "company_boundary": True},
        "revision": {
            "number": number,
            "reference": f"NC-RB-{number}",
            "supersedes": number - 1 or None,
            "effective_date": "2026-11-20",
            "sunset_date": "2027-11-20",
        },
        "parties": [{"office": key, "title": key, "short": key.upper()} for key in parties],
        "approver": {"office": "ceo", "title": "Chief Executive Officer", "short": "CEO"},
        "articles": [
            article(1, "control", "These are the rules."),
            *articles,
            {
                **article(4, "allocations", "Rows are read as follows."),
                "rows": list(rows),
                "left_out": list(gone),
            },
            article(13, "change_log", f"Whatever changed in {number}."),
        ],
    } | more
