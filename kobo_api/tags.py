"""Collections (docs/reference/kobo-protocol.md 6.6). Edits are acknowledged and, until shelves exist, not kept: a 4xx
would make the device repeat them on every sync for ever."""

import uuid

from kobo_api.call import Answer, Call, answer


def create(call: Call) -> Answer:
    """`POST /v1/library/tags` → 201, the id of the new collection as a bare JSON string."""
    return answer(str(uuid.uuid4()), status=201)


def rename_or_delete(call: Call, tag: str) -> Answer:
    """`PUT`, `DELETE` and anything else on `/v1/library/tags/{id}` → 200."""
    return answer({})


def add_items(call: Call, tag: str) -> Answer:
    """`POST /v1/library/tags/{id}/items`, also spelled `/Items` → 201, an empty string."""
    return answer("", status=201)


def remove_items(call: Call, tag: str) -> Answer:
    """`POST /v1/library/tags/{id}/items/delete` → 200."""
    return answer({})
