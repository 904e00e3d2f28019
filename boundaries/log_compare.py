"""A file that a reader holds, held against the log, in words."""

from dataclasses import dataclass

from audit import outside, proofs
from audit.checkpoints import newest
from audit.verify import Mark
from sealing.errors import SealingError


@dataclass(frozen=True)
class Compared:
    """What comparing one file came to: sentences for what agrees, and for what does not."""

    name: str
    agrees: list[str]
    differs: list[str]

    @property
    def sound(self) -> bool:
        return not self.differs


def compare(name: str, data: bytes) -> Compared:
    """Whether the log still begins with what the file says that it had signed.

    By the hashes that are stored with the events; that those are the events' own is what the
    day's check finds out. Never raises for what is in the file.
    """
    try:
        held = outside.read(name, data)
    except SealingError as error:
        return Compared(name, [], [str(error)])
    agrees, differs = list(held.notes), list(held.faults)
    for mark in held.marks:
        (agrees if _agrees(mark) else differs).append(_words(mark))
    return Compared(name, agrees, differs)


def _agrees(mark: Mark) -> bool:
    known = newest()
    return known is not None and proofs.root_at(mark.size, known) == mark.root


def _words(mark: Mark) -> str:
    known = newest()
    if _agrees(mark):
        return f"{mark.name} agrees: the first {mark.size} events are unchanged."
    if known is None or mark.size > known.size:
        has = known.size if known else 0
        return (
            f"{mark.name} counts {mark.size} events, and the log has signed only {has}: its end "
            "was cut, or an earlier copy was put in its place."
        )
    return f"{mark.name} was signed for other events than the first {mark.size} that are here."
