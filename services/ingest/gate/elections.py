"""Whether an election is valid and who could be elected by its ballots (村民委员会组织法); pure."""

from collections.abc import Iterator

from services.contracts.base import Finding
from services.contracts.bodies import Roster, Standing

_SOURCE = "村民委员会组织法"


def election_findings(body: Roster) -> Iterator[Finding]:
    """More ballots than voters, too few who voted, somebody elected without more than half; nothing where nobody was counted."""
    ballots = body.ballots
    if ballots is None:
        return
    if ballots.cast > ballots.registered:
        words = f"参加投票 {ballots.cast} 人，多于登记参加选举的 {ballots.registered} 人，请核对。"
        yield Finding(code="election.cast", at="body.ballots.cast", message=words)
    if ballots.valid is not None and ballots.valid > ballots.cast:
        words = f"有效票 {ballots.valid} 张，多于参加投票的 {ballots.cast} 人，请核对。"
        yield Finding(code="election.valid", at="body.ballots.valid", message=words)
    needed = ballots.registered // 2 + 1
    if ballots.cast < needed:
        words = (
            f"登记参加选举的村民过半数投票，选举才有效（{_SOURCE}）。登记 {ballots.registered} 人，至少要 {needed} 人投票，"
            f"写的是 {ballots.cast} 人。写错了请改正；确实没有过半数的，请说明怎么办。"
        )
        yield Finding(code="election.quorum", at="body.ballots.cast", message=words)
    half = ballots.cast // 2 + 1
    for n, e in enumerate(body.entries):
        if e.standing is Standing.ELECTED and e.votes is not None and e.votes < half:
            words = (
                f"第 {n + 1} 行写的是当选，得票 {e.votes} 张。要有参加投票的村民过半数（至少 {half} 张）才能当选（{_SOURCE}）。"
                f"写错了请改正；是另行选举的（得票不少于三分之一），请说明。"
            )
            yield Finding(code="election.votes", at=f"body.entries[{n}].votes", message=words)
