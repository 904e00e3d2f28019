"""The append-only log. ``audit.record(...)`` is its only writer.

``record`` lives in ``audit.log``, which needs models; it is fetched when first asked for, so that
any module may ``import audit`` before the apps are loaded.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .log import record as record
else:

    def __getattr__(name: str) -> Any:
        if name == "record":
            from .log import record

            return record
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["record"]
