"""Every text of the plugin can be translated: `l10n/bookwake.pot` lists them all. To write it anew, run this module:

python -m tests.koplugin.test_translations
"""

import re
from pathlib import Path

from tests.conftest import ROOT

CODE = ROOT / "koplugin" / "bookwake.koplugin" / "bookwake"
TEMPLATE = CODE / "l10n" / "bookwake.pot"
HEADER = """\
# Texts of the KOReader plugin of Bookwake. Copy to <language>.po beside this file and fill in the msgstr lines.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"""

STRING = r'"((?:[^"\\\n]|\\.)*)"'
ONE = re.compile(rf"(?<![\w.])_\(\s*{STRING}\s*\)")
MANY = re.compile(rf"_\.ngettext\(\s*{STRING},\s*{STRING},")


def template() -> str:
    """Every text once, in alphabetical order: it does not change when code moves."""
    texts: set[tuple[str, str]] = set()
    for path in CODE.glob("*.lua"):
        code = path.read_text(encoding="utf-8")
        texts |= {(match[1], "") for match in ONE.finditer(code)}
        texts |= {(match[1], match[2]) for match in MANY.finditer(code)}
    parts = [HEADER]
    for one, many in sorted(texts):
        plural = f'msgid_plural "{many}"\n' if many else ""
        answers = 'msgstr[0] ""\nmsgstr[1] ""\n' if many else 'msgstr ""\n'
        parts.append(f'msgid "{one}"\n{plural}{answers}')
    return "\n".join(parts)


def test_the_template_lists_every_text() -> None:
    assert TEMPLATE.read_text(encoding="utf-8") == template(), "run: python -m tests.koplugin.test_translations"


def test_no_text_is_made_of_pieces() -> None:
    """What is not a plain text cannot be found by anybody who translates."""
    for path in CODE.glob("*.lua"):
        code = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
        for match in re.finditer(r"(?<![\w.])_\(\s*([^)\s])", code):
            assert match[1] in '"', f"{path.name}: {code[match.start() : match.start() + 60]}"


if __name__ == "__main__":
    Path(TEMPLATE).parent.mkdir(exist_ok=True)
    TEMPLATE.write_text(template(), encoding="utf-8")
