"""The HTML pages: the page at /ui, and Swagger UI at /docs."""

from __future__ import annotations

import base64
import gzip
import hashlib
from functools import cached_property
from pathlib import Path

import bentoml
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
IN_EVERY_POLICY = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
UI_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    f" require-trusted-types-for 'script'; {IN_EVERY_POLICY}"
)

SWAGGER_FILES = ("swagger-ui.css", "swagger-ui-bundle.js")
SWAGGER_UI = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>study score: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="static_content/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="static_content/swagger-ui-bundle.js"></script>
<script>{script}</script>
</body>
</html>
"""
# BentoML's own script has a badge that sends the document's address to another host. This one uses
# its own location, so it also works below a proxy's path.
SWAGGER_START = """
fetch("docs.json").then((answer) => answer.json()).then((spec) => SwaggerUIBundle({
  spec: { ...spec, servers: [{ url: new URL(".", location).pathname }] },
  dom_id: "#swagger-ui",
  deepLinking: true,
}));
"""


class File:
    """A file of a page, read once, with an ETag for caching."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self.headers = {
            "Cache-Control": "no-cache",  # the browser sends the ETag each time
            "Content-Security-Policy": UI_POLICY,
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
    **{f"/ui/{path.name}": File(path) for path in _PAGE.iterdir() if path.suffix in KINDS},
    # BentoML would read these from disk, in threads, for each request
    **{f"/static_content/{name}": File(_SWAGGER / name) for name in SWAGGER_FILES},
}
FILES["/ui"] = FILES["/ui/page.html"]


def index(*_: object) -> Response:
    """Redirect to the page, since BentoML's own index page calls another host."""
    return RedirectResponse("ui")


def file(_: object, request: Request) -> Response:
    """The page, or a file of it or of Swagger UI."""
    path = request.scope["path"]
    if path not in FILES:
        raise HTTPException(404)
    return FILES[path].answer(request)


def docs(*_: object) -> Response:
    """Swagger UI, from the files that BentoML ships."""
    digest = base64.b64encode(hashlib.sha256(SWAGGER_START.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; connect-src 'self';"
        f" style-src 'self' 'unsafe-inline'; img-src 'self' data:; {IN_EVERY_POLICY}"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    return HTMLResponse(SWAGGER_UI.format(script=SWAGGER_START), headers=headers)
