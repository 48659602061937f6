"""Bodies of the kinds beside the ledger, written out, with names that must not be seen; and what the API tells of one."""

from typing import Any

from services.contracts.bodies import Body
from services.contracts.catalogue import Masking
from services.publish.bodies.out import body_out
from services.publish.render.masking import masked_body

PHOTO = "ab" * 32


def roster(**changes: Any) -> dict[str, Any]:
    """Three households, two of them of people who look the same once masked."""
    entries = [
        {"name": "张建国", "payee_ref": "k1:secret", "group": "一组", "household_size": 3, "amount_fen": 90_000},
        {"name": "张桂兰", "group": "二组", "household_size": 1, "amount_fen": 45_000, "remark": "张桂兰长期患病"},
        {"name": "李秀英", "group": "一组", "household_size": 2, "amount_fen": 60_000},
    ]
    return {"kind": "roster", "title": "三季度低保名单", "standard": "每人每月300元", "entries": entries, **changes}


def notice(**changes: Any) -> dict[str, Any]:
    """Two paragraphs and a period on the wall."""
    words = ["根据村民联名要求，现公开机井维修情况。", "机井已于9月修好，花费3,200元。"]
    return {
        "kind": "notice",
        "title": "关于机井维修的公开",
        "paragraphs": words,
        "posted_from": "2026-10-05",
        "posted_until": "2026-10-15",
        "signed_by": "西海村委会",
        **changes,
    }


def decision(**changes: Any) -> dict[str, Any]:
    """A meeting of representatives with votes and steps."""
    return {
        "kind": "decision",
        "title": "修村西桥",
        "meeting": "representatives",
        "held_on": "2026-10-08",
        "votes": {"entitled": 30, "present": 26, "in_favour": 24, "against": 1, "abstained": 1},
        "steps": [{"name": "村党支部提议", "date": "2026-10-01"}, {"name": "村民代表会议决议", "date": "2026-10-08"}],
        "resolution": "同意用集体资金维修村西桥。",
        **changes,
    }


def contract(**changes: Any) -> dict[str, Any]:
    """An orchard let to a person whose name stands in the title as well."""
    return {
        "kind": "contract",
        "title": "王大山承包东山果园合同",
        "type": "lease",
        "party": "王大山",
        "subject": "东山果园，由王大山经营",
        "area_mu": "12.5",
        "signed_on": "2026-10-09",
        "begins": "2026-11-01",
        "ends": "2031-10-31",
        "total_fen": 5_000_000,
        "instalments": [{"due": "2026-11-01", "amount_fen": 2_500_000}, {"due": "2028-11-01", "amount_fen": 2_500_000}],
        "attachments": [{"digest": PHOTO, "title": "王大山签的合同"}],
        **changes,
    }


def project(**changes: Any) -> dict[str, Any]:
    """A road, half paid."""
    return {
        "kind": "project",
        "title": "村西路硬化",
        "scope": "硬化道路600米",
        "tender": "quotes",
        "contractor": "盖州市某路桥有限公司",
        "budget_fen": 20_000_000,
        "contract_fen": 18_000_000,
        "funds": [{"source": "上级补助", "amount_fen": 20_000_000}],
        "bids": [{"bidder": "盖州市某路桥有限公司", "amount_fen": 18_000_000, "won": True}],
        "payments": [{"date": "2026-10-20", "amount_fen": 9_000_000, "note": "首付款"}],
        **changes,
    }


def table(**changes: Any) -> dict[str, Any]:
    """Rent due and paid; the tenant's name is repeated in a text column."""
    return {
        "kind": "table",
        "title": "三季度租金",
        "columns": [
            {"key": "who", "name": "承租人", "type": "name"},
            {"key": "what", "name": "租的什么"},
            {"key": "due", "name": "应交", "type": "amount"},
        ],
        "rows": [["赵铁柱", "鱼塘，赵铁柱自养", 120_000], ["孙二娘", "门市房", 300_000]],
        **changes,
    }


def public_body(body: Body, masking: Masking, item: str = "") -> dict[str, Any]:
    """The JSON of a body as the public API tells it, names masked."""
    return body_out(masked_body(body, masking, item)).model_dump(mode="json")
