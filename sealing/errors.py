"""Named errors of sealing; each message is a sentence that a page may show."""

from __future__ import annotations

from collections.abc import Sequence


class SealingError(Exception):
    """Anything that keeps this package from doing what was asked."""


class ContentInvalid(SealingError):
    """The canonical content lacks something that the document or its signatures need."""


class ChildFailed(SealingError):
    """A child process ran out of its limits, died, or answered with an error."""


class RenderFailed(SealingError):
    """The signing copy could not be made."""


class Undrawable(RenderFailed):
    """The packaged fonts cannot draw some characters, so nothing is printed at all."""

    def __init__(self, characters: Sequence[str]) -> None:
        self.characters = list(characters)
        named = ", ".join(f"U+{ord(c):04X}" for c in self.characters[:12])
        more = f" and {len(self.characters) - 12} more" if len(self.characters) > 12 else ""
        super().__init__(f"The document fonts cannot draw these characters: {named}{more}.")


class KeysExist(SealingError):
    """Keys are already there; they are never overwritten."""


class KeysUnusable(SealingError):
    """The company's keys are missing, do not open with this secret, or do not fit together."""


class SignatureRefused(SealingError):
    """This signature cannot be put into this file as asked."""


class TimestampUnavailable(SealingError):
    """The timestamp authority gave no usable answer: the signature waits, its level stays."""


class CheckpointInvalid(SealingError):
    """This is no checkpoint, or none that this log's key signed."""


class BundleInvalid(SealingError):
    """An evidence bundle that cannot be read; `altered` where it was one before."""

    def __init__(self, message: str, *, altered: bool = False) -> None:
        super().__init__(message)
        self.altered = altered


class PagesNotDrawn(SealingError):
    """A page of a PDF could not be shown as an image."""
