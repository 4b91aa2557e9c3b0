"""Every repository path that the documentation names exists, and every relative link leads somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "demo").glob("*.md")])
TOP = "orplugins|configs|tools|tests|docs|demo|dev|benchmarks|requirements"
# A path, in prose, code or a command, that begins with one of the repository's folders. Braces and stars are expanded.
PATH = re.compile(rf"(?<![\w./$<>-])(?:\./)?((?:{TOP})/[\w./{{}},*?-]*)(<|\$|[A-Z]+/)?")
LINK = re.compile(r"\]\(([^)\s]+)\)")
URL = re.compile(r"\w+://\S+")


def expand(path: str) -> list[str]:
    """Return the paths that a shell makes of ``a/{b,c}``."""
    found = re.search(r"\{([^{}]*)\}", path)
    if not found:
        return [path]
    return [p for part in found[1].split(",") for p in expand(path[: found.start()] + part + path[found.end() :])]


def paths(text: str) -> set[str]:
    """Return the repository's paths in a text; those with a placeholder (``tests/<room>``, ``$name``) are left out."""
    text = LINK.sub("]", URL.sub("", text))
    found = {match[1].rstrip(".,") for match in PATH.finditer(text) if not match[2] and "..." not in match[1]}
    return {each for path in found if path.count("{") == path.count("}") for each in expand(path)}


def headings(page: Path) -> set[str]:
    """Return the anchors that GitHub and mkdocs make of a page's headings."""
    lines = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_exist(page):
    wrong = [path for path in sorted(paths(page.read_text(encoding="utf-8"))) if not list(ROOT.glob(path.rstrip("/")))]
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    wrong = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        if URL.match(link) or link.startswith("mailto:"):
            continue
        if not file.exists() or (anchor and anchor not in headings(file)):
            wrong.append(link)
    assert not wrong


def test_paths_are_found():
    assert paths(
        "`tools/a.py`, see docs/b/{c,d}.md. Not https://x.org/tools/e.py, data/tools/f or tests/<room>/g.py"
    ) == {
        "tools/a.py",
        "docs/b/c.md",
        "docs/b/d.md",
    }


def exists(module: str) -> bool:
    """Whether a dotted name is a module or a package of the repository."""
    path = ROOT / module.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_new_imports_exist():
    """The last column of the changelog's table of imports."""
    rows = re.findall(r"^\| `orplugins\..*\|(.*)\|$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    names = [name for row in rows for name in re.findall(r"`(orplugins\.[\w.]+)`", row)]
    assert len(rows) > 20 and not [name for name in names if not exists(name)]


def test_api_pages_name_modules():
    pages = (ROOT / "docs/api").glob("*.md")
    names = [name for page in pages for name in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.M)]
    assert names and not [name for name in names if not exists(name)]


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r"- ([\w/]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M))
    assert listed == {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
