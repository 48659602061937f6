"""The sample city: Gaizhou's real villages with made-up figures, entered through the public and staff APIs alone.

`seed` fills the registry before the services start; `run` is the city's main job: a month of every village's ledger.
Both find by themselves what is done already, so that a city killed at any moment completes at its next start. What they are
made of is read when they are called: a start need not wait for it, since PostgreSQL and Kafka are started first.
"""

from deploy.local.info import StackInfo

__all__ = ["run", "seed"]


async def seed(info: StackInfo, sample: str, *, known: bool) -> None:
    """Put divisions, catalogue, calendar and staff into the registry; into a registry that has them, new calendars only."""
    from deploy.local.sample import registry  # noqa: PLC0415 - see above

    await (registry.renew(info) if known else registry.seed(info, sample))


async def run(info: StackInfo, sample: str, *, known: bool) -> None:
    """Load the month, or count what became of it; nothing to do in a city without a sample."""
    if sample != "none":
        from deploy.local.sample.main_job import run_main_job  # noqa: PLC0415 - see above

        await run_main_job(info, known=known)
