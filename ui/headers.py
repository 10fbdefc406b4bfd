"""What every answer tells the browser: what it may do with it, and who may show it."""

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from knowledge.settings import Settings

_PRIVATE = ("/api/", "/v1/", "/metrics")  # a question and its answer stay in no cache


class SecureHeaders:
    """ASGI middleware: adds the headers to every answer that does not have its own."""

    def __init__(self, app: ASGIApp, frame_ancestors: str) -> None:
        self._app = app
        policy = f"object-src 'none'; base-uri 'self'; frame-ancestors {frame_ancestors}"
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), payment=(), microphone=(self)",
        }
        # For browsers that do not know frame-ancestors.
        if old := {"'none'": "DENY", "'self'": "SAMEORIGIN"}.get(frame_ancestors):
            self._headers["X-Frame-Options"] = old

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(_PRIVATE):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return await self._app(scope, receive, with_headers)


def allow_sites(app: FastAPI, settings: Settings) -> None:
    """Let the pages of the sites that the settings name call the API from a browser."""
    if origins := settings.cors_origins.split():
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["*"],  # OpenAI's client sends a dozen of its own
            expose_headers=["Retry-After", "X-Request-ID"],
        )
