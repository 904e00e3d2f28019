"""Two or more acts at the same moment, each in a thread and on a database connection of its own."""

import threading

from django.db import connections

WAIT_SECONDS = 60


def at_once(*acts):
    """Start all ``acts`` behind one barrier; give what each returned, or the exception it raised.

    An act that does not end is an error: a deadlock must fail the test, not hang it.
    """
    barrier = threading.Barrier(len(acts))
    outcomes = [None] * len(acts)

    def run(place, act):
        try:
            barrier.wait(WAIT_SECONDS)
            outcomes[place] = act()
        except Exception as failure:  # the test judges it: a refusal is an outcome
            outcomes[place] = failure
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=item, daemon=True) for item in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert not any(thread.is_alive() for thread in threads), "an act did not end: a deadlock?"
    return outcomes


def refusals(outcomes):
    """The exceptions among the outcomes, by class."""
    return [type(one) for one in outcomes if isinstance(one, Exception)]
