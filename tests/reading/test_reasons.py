"""Every code that the reading record can give as a reason has a sentence for people."""

import ast
from pathlib import Path

import appliance.reading
from appliance.positions import Reason
from appliance.reading import reasons
from appliance.reading.progress.report import Act

FOLDER = Path(appliance.reading.__file__).parent

# Where in a call the reason stands.
CALLS = {"Decision": 1, "Outcome": 1, "_current": 1, "Answer": 2, "relocate": 3, "_answer": -1, "_note": -1}
PROGRESS = ("progress/rule", "progress/record", "progress/placing", "progress/put_back")
STATE = ("book_state/record",)
ANNOTATIONS = (
    "annotations/exchange",
    "annotations/acts",
    "annotations/journal",
    "annotations/placing",
    "annotations/rebasing",
    "annotations/relocation",
    "annotations/record",
    "annotations/unread",
)


def constants(node: ast.AST) -> set[str]:
    """The texts that an expression may give."""
    if isinstance(node, ast.IfExp):
        return constants(node.body) | constants(node.orelse)
    if isinstance(node, ast.BoolOp):
        return {text for value in node.values for text in constants(value)}
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def codes(name: str) -> set[str]:
    """The reasons that are written in a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text())):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if called in CALLS and len(node.args) > max(CALLS[called], 1):
                found |= constants(node.args[CALLS[called]])
            found |= {one for key in node.keywords if key.arg == "reason" for one in constants(key.value)}
        elif isinstance(node, ast.Assign) and any(
            isinstance(one, ast.Name) and one.id == "reason" for one in node.targets
        ):
            found |= constants(node.value)
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            found |= {
                one
                for key, value in pairs
                if isinstance(key, ast.Constant) and key.value == "reason"
                for one in constants(value)
            }
    return found


def all_codes(names: tuple[str, ...]) -> set[str]:
    return {code for name in names for code in codes(name)}


def test_the_collector_sees_them():
    assert {"fell-back", "stale-view", "older-activity", "read-on", "put-back", "no-place"} <= all_codes(PROGRESS)
    assert {"changed", "as-current"} <= all_codes(STATE)
    assert {"two-notes", "many-deleted", "restored", "kept", "changed-since"} <= all_codes(ANNOTATIONS)


def test_no_file_is_left_out():
    """A new file that writes to the journal belongs in the lists above."""
    writers = {
        path.relative_to(FOLDER).with_suffix("").as_posix()
        for path in FOLDER.rglob("*.py")
        if any(
            text in path.read_text() for text in ("insert(_JOURNAL)", "journal.append(", "Decision(", "record(session")
        )
    }
    assert writers <= {*PROGRESS, *STATE, *ANNOTATIONS}, writers


def test_every_reason_for_a_place_has_a_sentence():
    codes = all_codes(PROGRESS) | {reason.value for reason in Reason if reason} | {Act.READ.value, Act.JUMPED.value}
    for code in codes:
        assert reasons.sentence("progress", code).endswith("."), code
    for code in all_codes(STATE):
        assert reasons.sentence("state", code).endswith("."), code


def test_every_reason_for_an_annotation_has_a_sentence():
    for code in all_codes(ANNOTATIONS):
        known = code in reasons.PLACES or code in reasons.ANNOTATIONS or code == "not-given"
        assert known, code
    assert all(reason.value in reasons.PLACES for reason in Reason if reason)


def test_nothing_is_said_that_nobody_can_mean():
    """A sentence whose code is gone would be dead text."""
    meant = all_codes(PROGRESS) | {Act.READ.value, Act.JUMPED.value} | {reason.value for reason in Reason}
    assert set(reasons.PROGRESS) <= meant, set(reasons.PROGRESS) - meant
    assert set(reasons.ANNOTATIONS) <= all_codes(ANNOTATIONS), set(reasons.ANNOTATIONS) - all_codes(ANNOTATIONS)
    assert set(reasons.STATE) <= all_codes(STATE) | {"same-operation"}
