"""mkdocs hook: links that leave docs/, to files of the repository, become the files' paths in the site."""

import os
import re

LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)(?:#[^)]*)?\)")


def on_page_markdown(markdown: str, page, config, files) -> str:
    """Replace ``[text](../../x)`` where x lies outside docs/ by the text, followed by the path where that differs."""
    folder = os.path.dirname(page.file.src_uri)

    def replace(found: re.Match) -> str:
        path = os.path.normpath(os.path.join("docs", folder, found[2]))
        if path.startswith("docs" + os.sep):
            return found[0]
        name = os.path.basename(path)
        if found[1].strip("`") in (path, name, os.path.splitext(name)[0]):
            return found[1]
        return f"{found[1]} (`{path}`)"

    return LINK.sub(replace, markdown)
