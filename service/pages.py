"""The HTML pages: the page at /ui, and Swagger UI at /docs."""

from __future__ import annotations

import gzip
import hashlib
from functools import cached_property
from pathlib import Path

import bentoml
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
IN_EVERY_POLICY = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
UI_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    f" require-trusted-types-for 'script'; {IN_EVERY_POLICY}"
)
DOCS_POLICY = (  # Swagger UI writes styles into the page
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline';"
    f" img-src 'self' data:; {IN_EVERY_POLICY}"
)


class File:
    """A file of a page, read once, with an ETag for caching."""

    def __init__(self, path: Path, policy: str = UI_POLICY) -> None:
        self.content = path.read_bytes()
        self.headers = {
            "Cache-Control": "no-cache",  # the browser sends the ETag each time
            "Content-Security-Policy": policy,
            "Content-Type": f"{KINDS[path.suffix]}; charset=utf-8",
            "ETag": f'"{hashlib.sha256(self.content).hexdigest()[:16]}"',
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }

    @cached_property
    def compressed(self) -> bytes:
        """The content compressed by gzip, once, at the first request."""
        return gzip.compress(self.content, mtime=0)

    def answer(self, request: Request) -> Response:
        """The response: 304, compressed or plain, as the request's headers allow."""
        if request.headers.get("if-none-match") == self.headers["ETag"]:
            return Response(status_code=304, headers=self.headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self.compressed, headers={**self.headers, "Content-Encoding": "gzip"})
        return Response(self.content, headers=self.headers)


_PAGE = Path(__file__).parent / "page"
_SWAGGER = Path(bentoml.__file__).parent / "_internal" / "server" / "static_content"
FILES = {
    f"/ui/{path.name}": File(path)
    for path in _PAGE.iterdir()
    if path.suffix in KINDS and path.stem != "docs"
}
FILES["/ui"] = FILES.pop("/ui/page.html")
FILES["/docs"] = File(_PAGE / "docs.html", DOCS_POLICY)
# BentoML would read its own files from disk, in threads, for each request
for _path in (_SWAGGER / "swagger-ui.css", _SWAGGER / "swagger-ui-bundle.js", _PAGE / "docs.js"):
    FILES[f"/static_content/{_path.name}"] = File(_path)


def index(*_: object) -> Response:
    """Redirect to the page, since BentoML's own index page calls another host."""
    return RedirectResponse("ui")


def file(_: object, request: Request) -> Response:
    """A page, or a file of it."""
    path = request.scope["path"]
    if path not in FILES:
        raise HTTPException(404)
    return FILES[path].answer(request)
