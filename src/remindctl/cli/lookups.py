"""Ask the providers of a store what became of messages that nobody has told of."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

from remindctl import clock
from remindctl.channels import LooksUp
from remindctl.cli.accounts import Senders
from remindctl.dispatch import Asked, Reconciled, reconcile
from remindctl.errors import Refused
from remindctl.hours import exactly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.channels import Question, Receipt
    from remindctl.channels.courier import Courier
    from remindctl.config import Config, StoreConfig
    from remindctl.frames import Addresses
    from remindctl.sendlog import Hasher, OpenEnd, SendLog

# How long after an attempt "there is none" says nothing, where the configuration does not say.
_GRACE = timedelta(minutes=2)


def settle(
    config: Config,
    store: StoreConfig,
    ends: Sequence[OpenEnd],
    addresses: Addresses,
    log: SendLog,
    hasher: Hasher,
) -> Reconciled:
    """Look open ends up.

    Args:
        config: whose providers are asked.
        store: whose messages.
        ends: of that store, as ``line.open_ends`` finds them.
        addresses: of its people.
        log: where the answers are written.
        hasher: of the log.

    Returns:
        what came of it; a provider that cannot be asked is named, and stops nothing.
    """
    asked: dict[str, Asked] = {}
    silent: dict[str, str] = {}
    with ExitStack() as stack:
        for name in dict.fromkeys(end.provider for end in ends):
            if name is None or name not in config.providers:
                continue
            try:
                courier = stack.enter_context(Senders(config, [name])).courier(name)
            except Refused as refused:
                silent[name] = refused.problems[0].what
                continue
            if courier is not None and isinstance(courier.provider, LooksUp):
                grace = config.providers[name].lookup_grace
                waits = exactly(grace) if grace else _GRACE
                asked[name] = _asked(courier, courier.provider, waits)
        done = reconcile(log, ends, asked, hasher, addresses, store.store.key, clock.now())
    done.silent |= silent
    return done


def _asked(courier: Courier, provider: LooksUp, grace: timedelta) -> Asked:
    def ask(questions: Sequence[Question]) -> Sequence[Receipt]:
        answer = courier.ask(lambda attempt: provider.look_up(questions, attempt))
        return provider.found(questions, answer)

    return Asked(ask=ask, exact=provider.exact, at_a_time=provider.look_up_size, grace=grace)
