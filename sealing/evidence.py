"""The evidence bundle of a sealed file, judged without server, database or network.

The file itself is judged as always. Then its bundle must fit it: the same file and content, for
each signature what its signer's authentication left behind, the log's events that tell of it, each
proven to stand in the log whose checkpoint the log's key signed, and that log a continuation of
the one that the approver's signature anchors in the file. Nothing may be missing, nothing added.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sealing import bundle as bundles
from sealing import checkpoint as checkpoints
from sealing import content as canonical_content
from sealing import log_entry, merkle
from sealing.canonical import canonical_json, sha256_hex
from sealing.compromise import CompromisedKey
from sealing.content import Signatory
from sealing.errors import BundleInvalid, CheckpointInvalid
from sealing.passkeys import assertion_problem
from sealing.verdict import EXIT_STATUS, HEADLINES, Kind, Verdict

PASSKEY = "passkey"

# Of several findings the gravest is the verdict.
_GRAVITY: Sequence[Kind] = ("altered", "incomplete", "unverifiable", "not_ours", "genuine")
_HEADLINES: Mapping[Kind, str] = {
    "not_ours": HEADLINES["not_ours"],
    "genuine": "Genuine, and the evidence bears it out",
    "incomplete": "The file is genuine, but its evidence is not complete",
    "altered": "The file is genuine, but its evidence was altered",
    "unverifiable": "The file is genuine, but its evidence cannot be verified",
}
_SIGNED = {"cosigner": "revision.cosigned", "approver": "revision.approved"}
_FROZEN, _SEALED = "revision.frozen", "revision.sealed"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `says` is a sentence, of what holds or of what does not."""

    ok: bool
    says: str


@dataclass(frozen=True)
class EvidenceVerdict:
    """The judgement of a file with its bundle; `verdict` is that of the file alone.

    `notes` say what the evidence cannot prove.
    """

    kind: Kind
    headline: str
    sentences: list[str]
    verdict: Verdict
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def exit_status(self) -> int:
        """0 genuine, 1 altered or incomplete, 2 not ours or not verifiable."""
        return EXIT_STATUS[self.kind]

    def as_dict(self) -> dict[str, Any]:
        """Give the judgement as JSON-ready data; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> EvidenceVerdict:
        """Read what `as_dict` gave."""
        known = {f.name for f in fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        values["verdict"] = Verdict.from_dict(data["verdict"])
        values["checks"] = [Check(**one) for one in data.get("checks", [])]
        return cls(**values)


def judge(
    pdf: bytes, bundle: bytes, verdict: Verdict, root_fingerprints: Sequence[str]
) -> EvidenceVerdict:
    """Hold a bundle against the file whose `verdict` is known. Raises nothing for what it holds.

    `root_fingerprints` are those of the company's root certificate and of its former ones. The
    file's verdict should know of the keys that the bundle lists: see `compromised_in`.
    """
    if verdict.kind != "genuine":
        return EvidenceVerdict(
            kind=verdict.kind,
            headline=verdict.headline,
            sentences=[*verdict.sentences, "The bundle was not looked at: the file comes first."],
            verdict=verdict,
        )
    try:
        members = bundles.unpack(bundle)
    except BundleInvalid as error:
        kind: Kind = "altered" if error.altered else "unverifiable"
        return EvidenceVerdict(kind, _HEADLINES[kind], [str(error)], verdict)
    found = _Examination(pdf, members, verdict, root_fingerprints)
    found.run()
    return found.judgement()


def compromised_in(bundle: bytes) -> list[CompromisedKey]:
    """Give the keys that a bundle lists as compromised; none where it cannot be read.

    A list can only take trust away, so it may be believed before the bundle was judged.
    """
    try:
        listed = json.loads(bundles.unpack(bundle)[bundles.COMPROMISED])
        return [CompromisedKey.from_dict(one) for one in listed]
    except (BundleInvalid, KeyError, TypeError, ValueError, RecursionError):
        return []


class _Missing(Exception):
    """A member that a step needs is not there; told where members are counted."""


class _Examination:
    """The steps of judging one bundle, and what they found."""

    def __init__(
        self,
        pdf: bytes,
        members: Mapping[str, bytes],
        verdict: Verdict,
        fingerprints: Sequence[str],
    ) -> None:
        self._pdf = pdf
        self._members = members
        self._verdict = verdict
        self._fingerprints = set(fingerprints)
        self._checks: list[Check] = []
        self._kinds: list[Kind] = []
        self._events: list[dict[str, Any]] | None = None  # until the log was read
        self._anchored_size: int | None = None
        self._notes = [
            "Whether the document is in force today, only the company's registry can say.",
            "Events that were never written to the log leave no trace that could be missed.",
        ]
        content = verdict.content or {}
        self._signatories = canonical_content.signatories(content)

    def run(self) -> None:
        """Do every step; a step that finds the bundle unreadable ends itself only."""
        for step in (
            self._same_file,
            self._authority,
            self._list_of_members,
            self._same_content,
            self._log,
            self._signatures,
        ):
            try:
                step()
            except _Missing as missing:
                self._fails("incomplete", f"The bundle lacks {missing}.")
            except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
                name = step.__name__.strip("_").replace("_", " ")
                self._fails("altered", f"What the bundle holds of the {name} cannot be read.")

    def judgement(self) -> EvidenceVerdict:
        """Give the verdict over all that was found."""
        kind: Kind = min(self._kinds, key=_GRAVITY.index, default="genuine")
        broken = [check.says for check in self._checks if not check.ok]
        sentences = broken or [
            *self._verdict.sentences,
            f"The bundle proves it by {len(self._checks)} checks, all of which hold.",
        ]
        notes = [] if broken else self._notes
        return EvidenceVerdict(
            kind, _HEADLINES[kind], sentences, self._verdict, self._checks, notes
        )

    # --- Steps

    def _same_file(self) -> None:
        name = f"{self._verdict.reference}.pdf"
        self._check(self._member(name) == self._pdf, "The bundle is of this very file.",
                    "The PDF in the bundle is another file than the one given.")  # fmt: skip

    def _authority(self) -> None:
        present = _certificate(self._member(f"{bundles.CERTIFICATES}root.pem"))
        if sha256_hex(_der(present)) in self._fingerprints:
            self._holds("The root certificate has the given fingerprint.")
        elif self._roots():
            words = "The company has another root now. Give its fingerprint too, from a source of"
            self._fails("unverifiable", f"{words} your own: {sha256_hex(_der(present))}")
        else:
            words = "The bundle's root certificate has another fingerprint than the one given."
            self._fails("altered", words)
        listed = json.loads(self._member(bundles.COMPROMISED))
        if not [CompromisedKey.from_dict(one) for one in listed]:
            self._holds("The company lists no compromised keys.")

    def _list_of_members(self) -> None:
        note = self._member(bundles.MANIFEST).decode()
        try:
            checkpoints.verify_note(note, self._log_keys())
            reference, listed = bundles.listed_members(checkpoints.split_note(note)[0])
        except CheckpointInvalid:
            self._fails("altered", "The bundle's list of files is not signed by the log's key.")
            return
        except BundleInvalid as error:
            self._fails("altered", str(error))
            return
        if reference != self._verdict.reference:
            self._fails("altered", "The bundle's list of files is that of another document.")
        there = {name: data for name, data in self._members.items() if name != bundles.MANIFEST}
        for name in sorted(listed.keys() - there.keys()):
            self._fails("incomplete", f"The bundle lacks {name}.")
        for name in sorted(there.keys() - listed.keys()):
            self._fails("altered", f"The bundle holds {name}, which its list does not name.")
        for name in sorted(there.keys() & listed.keys()):
            if sha256_hex(there[name]) != listed[name]:
                self._fails("altered", f"The bundle's {name} was changed.")
        if not self._kinds:
            self._holds(f"All {len(there)} files of the bundle are as the registry listed them.")

    def _same_content(self) -> None:
        data = self._member(bundles.CONTENT)
        self._check(sha256_hex(data) == self._verdict.content_sha256,
                    "The content is the one attached to the file.",
                    "The bundle's content is not the one attached to the file.")  # fmt: skip

    def _log(self) -> None:
        note = self._member(bundles.CHECKPOINT).decode()
        try:
            now = checkpoints.verify(note, self._log_keys())
        except CheckpointInvalid as error:
            self._fails("altered", f"The bundle's checkpoint does not hold: {error}")
            return
        self._holds(f"The log's key signed the checkpoint of {now.size} events.")
        extract = json.loads(self._member(bundles.EVENTS))
        events = []
        for one in extract["events"]:
            event, proof = one["event"], [bytes.fromhex(step) for step in one["proof"]]
            leaf = log_entry.leaf_of(event)
            index = event["sequence"] - 1
            if not merkle.verify_inclusion(leaf, index, now.size, proof, now.root):
                self._fails("altered", f"Event {event['sequence']} does not stand in the log so.")
                return
            events.append(event)
        self._events = events
        self._holds(f"Each of {len(events)} events is proven to stand in the log.")
        self._anchored(now)
        self._event(
            lambda e: e["event"] == _FROZEN and e["object_sha256"] == self._verdict.content_sha256,
            "The log tells of the freezing of this content.",
        )
        self._event(
            lambda e: e["event"] == _SEALED and e["object_sha256"] == self._verdict.file_sha256,
            "The log tells of the sealing of this file.",
        )

    def _anchored(self, now: checkpoints.Checkpoint) -> None:
        """Hold the log against the checkpoint that the approver's signature carries."""
        if not self._verdict.checkpoint:
            self._notes.append(
                "The file carries no checkpoint: it is no witness of what the log said then."
            )
            return
        then = checkpoints.parse(self._verdict.checkpoint)[0]
        said = json.loads(self._member(bundles.CONSISTENCY))
        proof = [bytes.fromhex(step) for step in said["proof"]]
        grown = then.origin == now.origin and merkle.verify_consistency(
            then.size, then.root, now.size, now.root, proof
        )
        self._check(grown,
                    f"The log continues the one of {then.size} events that the file anchors.",
                    "The log is not a continuation of the one that the file anchors.")  # fmt: skip
        self._anchored_size = then.size

    def _signatures(self) -> None:
        records = [
            json.loads(data)
            for name, data in sorted(self._members.items())
            if name.startswith(bundles.SIGNATURES)
        ]
        copy = self._signing_copy_sha256()
        by_field: dict[str, Any] = {}
        for record in records:
            if record["field"] in by_field:
                self._fails("altered", "The bundle holds evidence of one signature twice.")
            by_field[record["field"]] = record
        names = {found.field: found.name for found in self._verdict.signatures}
        for signatory in self._signatories:
            record = by_field.pop(signatory.field, None)
            if record is None:
                words = f"The bundle holds no evidence of the {signatory.short}'s signature."
                self._fails("incomplete", words)
                continue
            problem = self._evidence_problem(record, signatory, names[signatory.field], copy)
            if problem:
                self._fails(
                    "altered", f"The evidence of the {signatory.short}'s signature: {problem}"
                )
        for strange in by_field:
            self._fails("altered", f"The bundle holds evidence of a signature, {strange[:40]}, that"
                                   " the file does not carry.")  # fmt: skip

    def _evidence_problem(
        self, record: Mapping[str, Any], signatory: Signatory, name: str, copy: str
    ) -> str:
        evidence = record["evidence"]
        role = "approver" if signatory.approver else "cosigner"
        if record["role"] != role or record["office"] != signatory.office:
            return "it is of another Office or role."
        if signatory.office not in evidence["offices"]:
            return "it was not given for this Office."
        if evidence["content_sha256"] != self._verdict.content_sha256:
            return "it is of another text."
        if evidence["signing_copy_sha256"] != copy:
            return "another file was opened and signed."
        if not _same_name(evidence["person_name"], name):
            return "the file names another person."
        problem = self._unlogged(evidence, role)
        if problem:
            return problem
        if evidence["method"] == PASSKEY:
            if wrong := assertion_problem(evidence, role=role):
                return wrong[:1].lower() + wrong[1:]
            self._holds(
                f"{signatory.short}: the passkey's assertion is of this text, for this Office."
            )
            self._notes.append(
                f"{signatory.short}: that the passkey is {evidence['person_name']}'s is the"
                " registry's word, given when it was registered."
            )
        else:
            self._holds(
                f"{signatory.short}: the log recorded this evidence ({evidence['method']})."
            )
            self._notes.append(
                f"{signatory.short}: signed by {evidence['method']}. That it was"
                f" {evidence['person_name']} is the registry's word: nothing that only the signer"
                " has is left behind."
            )
        return ""

    def _unlogged(self, evidence: Mapping[str, Any], role: str) -> str:
        """Look for the event that this evidence's hash stands in."""
        if self._events is None:
            return ""  # the log itself did not hold, which was said
        digest = sha256_hex(canonical_json(evidence))
        told = [
            event["sequence"]
            for event in self._events
            if event["authentication_sha256"] == digest
            and event["event"] == _SIGNED[role]
            and event["object_sha256"] == self._verdict.content_sha256
            and event["object_version"] == self._verdict.reference
            and event["actor_id"] == evidence["person_id"]
        ]
        if not told:
            return "no event of the log tells of it as it is."
        if self._anchored_size is not None and min(told) > self._anchored_size:
            return "the log tells of it later than the file was sealed."
        return ""

    # --- What steps share

    def _member(self, name: str) -> bytes:
        if name not in self._members:
            raise _Missing(name)
        return self._members[name]

    def _several(self, name: str) -> list[Any]:
        """The certificates of which a bundle may hold several, in their order."""
        start = f"{bundles.CERTIFICATES}{name}"
        found = sorted(one for one in self._members if one.startswith(start))
        return [_certificate(self._members[one]) for one in found]

    def _roots(self) -> list[Any]:
        """The root certificates that were given from outside, by their fingerprints."""
        held = [*self._several("root"), *self._several("retired-root")]
        return [one for one in held if sha256_hex(_der(one)) in self._fingerprints]

    def _log_keys(self) -> list[checkpoints.LogVerifier]:
        """The log's keys: of certificates that a given root issued, and that nobody else has."""
        self._member(f"{bundles.CERTIFICATES}root.pem")
        certificates = self._several("log")
        if not certificates:
            raise _Missing(f"{bundles.CERTIFICATES}log-01.pem")
        data = json.loads(self._member(bundles.COMPROMISED))
        stolen = {CompromisedKey.from_dict(one).certificate_sha256 for one in data}
        found = []
        for certificate in certificates:
            if sha256_hex(_der(certificate)) in stolen:
                continue  # a note has no time of its own: it may be of yesterday
            for root in self._roots():
                with contextlib.suppress(CheckpointInvalid):
                    found.append(checkpoints.LogVerifier.from_certificate(certificate, root))
        return found

    def _event(self, is_it: Callable[[dict[str, Any]], bool], words: str) -> None:
        if any(is_it(event) for event in self._events or ()):
            self._holds(words)
        else:
            self._fails("incomplete", words.replace("The log tells", "No event of the log tells"))

    def _signing_copy_sha256(self) -> str:
        """The SHA-256 of what was opened and signed: the file up to the end of its seal."""
        from pyhanko.pdf_utils.reader import PdfFileReader

        reader = PdfFileReader(io.BytesIO(self._pdf))
        _, _, resume, rest = (int(n) for n in reader.embedded_signatures[0].byte_range)
        return sha256_hex(self._pdf[: resume + rest])

    def _check(self, ok: bool, holds: str, fails: str) -> None:
        if ok:
            self._holds(holds)
        else:
            self._fails("altered", fails)

    def _holds(self, words: str) -> None:
        self._checks.append(Check(True, words))

    def _fails(self, kind: Kind, words: str) -> None:
        self._kinds.append(kind)
        if Check(False, words) not in self._checks:
            self._checks.append(Check(False, words))


def _same_name(whole: str, certified: str) -> bool:
    """Whether a certificate, which holds 64 bytes of a name, has this one."""
    return whole == certified or (
        certified.endswith("…") and whole.startswith(certified.removesuffix("…"))
    )


def _certificate(data: bytes) -> Any:
    from cryptography import x509

    return x509.load_pem_x509_certificate(data)


def _der(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    data: bytes = certificate.public_bytes(Encoding.DER)
    return data
