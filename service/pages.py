"""What people look at: the page at /ui, and Swagger UI at /docs."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

FILES = Path(__file__).parent / "page"
PARTS = (
    "page.html",
    "page.css",
    "texts.js",
    "numbers.js",
    "svg.js",
    "fit.js",
    "descent.js",
    "service.js",
    "batch.js",
    "page.js",
)

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
# Not BentoML's own start: the badge in its layout sends the document's address to another host.
SWAGGER_START = """
SwaggerUIBundle({
  url: "docs.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
});
"""


def _hash(inline: str) -> str:
    digest = hashlib.sha256(inline.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _html(page: str, policy: str) -> HTMLResponse:
    everywhere = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return HTMLResponse(
        page,
        headers={
            "Content-Security-Policy": f"default-src 'none'; {policy}; {everywhere}",
            "Cache-Control": "no-cache",
        },
    )


def _ui() -> HTMLResponse:
    """The page as one document, under a policy that lets nothing run but its own script."""
    page, style, *scripts = ((FILES / name).read_text(encoding="utf-8") for name in PARTS)
    script = "\n".join(scripts)
    return _html(
        page.replace("<style></style>", f"<style>{style}</style>").replace(
            '<script type="module"></script>', f'<script type="module">{script}</script>'
        ),
        f"script-src {_hash(script)}; style-src {_hash(style)}; connect-src 'self'; img-src data:;"
        " require-trusted-types-for 'script'",
    )


UI = _ui()
DOCS = _html(
    SWAGGER_UI.format(script=SWAGGER_START),
    f"script-src 'self' {_hash(SWAGGER_START)}; style-src 'self' 'unsafe-inline';"
    " connect-src 'self'; img-src 'self' data:",
)


async def index(_: Request) -> Response:
    """BentoML's own index page would call an outside tag manager."""
    return RedirectResponse("ui")


async def ui(_: Request) -> Response:
    """The page."""
    return UI


async def docs(_: Request) -> Response:
    """Swagger UI, from the files that BentoML ships."""
    return DOCS


ROUTES = [
    Route("/", index),
    Route("/ui", ui),
    Route("/docs", docs),
]
