"""Keys of aggregates, so that content can go for good: a null value on a compacted topic of keys shreds a key."""

from typing import Literal

from services.contracts.base import Event
from services.contracts.values import ShortText


class KeySet(Event):
    """`key.set.v1`: the AES-256 key of an aggregate (base64, 32 bytes); topic `sanwu.keys`, key = its aggregate id."""

    type: Literal["key.set.v1"] = "key.set.v1"
    aggregate: Literal["key"] = "key"
    key: ShortText


class WrappedKeySet(Event):
    """`key.set.v2`: the same, the key wrapped under what the services share by configuration and no topic holds.

    `w1:` + base64 of nonce (96 bits) and AES-256-GCM ciphertext; the associated data is `aggregate_id` + `:key`.
    """

    type: Literal["key.set.v2"] = "key.set.v2"
    aggregate: Literal["key"] = "key"
    wrapped: ShortText


class QuestionKeySet(Event):
    """`question_key.set.v1`: the key of a question, or of its contact; topic `publish.keys`, key = its aggregate id.

    As in `key.set.v2`; in clear (base64, 32 bytes) where the city has nothing to wrap keys with.
    """

    type: Literal["question_key.set.v1"] = "question_key.set.v1"
    aggregate: Literal["key"] = "key"
    wrapped: ShortText
