"""Who may do what: every request passes here, and what is not listed needs the most."""

import base64
import binascii
import hmac
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from anyio import to_thread
from fastapi import Request
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from knowledge.errors import KnowledgeError
from knowledge.settings import Settings
from ui.errors import RequestError, failed
from ui.keys import PREFIX, SCOPES, Keys, Scope
from ui.limits import Failure, Limits

ALL: frozenset[Scope] = frozenset(SCOPES)
WITHOUT_KEY: frozenset[Scope] = frozenset({"ask", "search"})
_NONE: frozenset[Scope] = frozenset()

# Method and path → what it needs. What is under one of the APIs and not listed is not there.
_RULES: Mapping[str, Scope | None] = {
    r"GET /(healthz|readyz)": None,
    r"GET /api/(search|documents(/.+)?)": "search",
    r"POST /api/(ask|feedback)": "ask",
    r"GET /api/conversations": "ask",
    r"(GET|DELETE) /api/conversations/[^/]+": "ask",
    r"POST /v1/chat/completions|GET /v1/models(/[^/]+)?": "ask",
    r"POST /api/documents|(PUT|PATCH|DELETE) /api/documents/.+": "admin",
    r"GET /api/(feedback|jobs(/[^/]+)?)": "admin",
    r"GET /metrics": "admin",
    r"\w+ /admin(/.*)?": "admin",
    r"\w+ /(?!api/|v1/|metrics|admin(/|$)).*": "ask",  # the chat page and all that it loads
}
_READING = frozenset({"GET", "HEAD"})
# What reading is as much work as asking; the parts of a page are not.
_COUNTED = re.compile(r"/(api|v1)/.*|/page/answers/[^/]+/next", re.DOTALL)
# What a refusal without a name says of the secret that was sent.
_FAILURES: Mapping[int, Failure] = {401: "wrong", 429: "refused"}
_NO_KEY = "需要 API 密钥：请在请求头里写 Authorization: Bearer <密钥>。密钥由管理人员发放。"
_WRONG_KEY = "API 密钥或密码不对，或密钥已撤销。请核对，或向管理人员要一把新的。"
_NOT_ALLOWED = "这把密钥没有 {scope!r} 权限。请向管理人员要一把有此权限的。"
_ELSEWHERE = (
    "浏览器从别的网站发来的请求，不能用在浏览器里输入的密码或密钥。"
    "请在请求头里写 Authorization: Bearer <密钥>。"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request.

    Attributes:
        name: ``key:<id>``, ``password``, or empty for nobody in particular.
        address: Where from; a key counts by itself, wherever it is used.
        per_minute: Requests that it may make; 0 for any number, None for what all may.
    """

    name: str
    address: str
    scopes: frozenset[Scope]
    per_minute: int | None = None


def needed(method: str, path: str) -> Scope | None:
    """Return what a request needs; None if anybody may send it.

    Raises:
        RequestError: There is nothing at this address.
    """
    for rule, scope in _RULES.items():
        if re.fullmatch(rule, f"{method} {path}", re.DOTALL):
            return scope
    raise RequestError(404, f"没有接口 {method} {path!r}，请看 /docs。")


class Guard:
    """ASGI middleware: lets a request pass, or answers it with what is missing."""

    def __init__(
        self, app: ASGIApp, settings: Settings, keys: Keys, limits: Limits, *, anonymous: bool
    ) -> None:
        self._app = app
        self._password = settings.admin_password.get_secret_value()
        self._keys = keys
        self._limits = limits
        self._nobody = WITHOUT_KEY if anonymous else _NONE

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] not in {"http", "websocket"}:
            return await self._app(scope, receive, send)
        path = scope["path"]
        try:
            await self._admit(scope, needed(scope.get("method", "GET"), path))
        except KnowledgeError as error:
            if scope["type"] == "websocket":
                return await send({"type": "websocket.close", "code": 1008})
            return await failed(path, error)(scope, receive, send)
        return await self._app(scope, receive, send)

    async def _admit(self, scope: Connection, wanted: Scope | None) -> None:
        if wanted is None:
            return
        request = Request({**scope, "type": "http"})
        address = _network(request.client.host if request.client else "")
        secret, typed = _secret(request.headers)
        if secret:  # who sends none guesses none
            self._limits.check_failures("wrong", address)
        if secret and _may_be_placeholder(secret, typed):
            self._limits.check_failures("refused", address)
        caller = None
        try:
            caller = await self._caller(request, address, wanted)
            if _counts(scope):
                self._limits.count(caller.name, address, caller.per_minute)
        except RequestError as error:
            # The right password has no limit: beyond that of nobody a refusal tells a wrong one.
            failure = _FAILURES.get(error.status)
            if failure and secret and not (caller and caller.name):
                self._limits.count_failure(failure, address)
            raise
        scope.setdefault("state", {})["caller"] = caller

    async def _caller(self, request: Request, address: str, wanted: Scope) -> Caller:
        caller = await self._known(request, address)
        if caller is None:
            caller = Caller("", address, self._nobody)
            if wanted not in caller.scopes:
                raise _unauthorized(_WRONG_KEY if _secret(request.headers)[0] else _NO_KEY)
        if wanted not in caller.scopes:
            raise RequestError(403, _NOT_ALLOWED.format(scope=wanted))
        return caller

    async def _known(self, request: Request, address: str) -> Caller | None:
        """Return who proves to be somebody; None for who does not try to."""
        secret, typed = _secret(request.headers)
        if not secret:
            return None
        # A browser sends along what was typed into it, whoever made the request.
        elsewhere = typed and request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}
        if elsewhere and request.scope.get("method") not in _READING:
            raise RequestError(403, _ELSEWHERE)
        if self._password and hmac.compare_digest(secret.encode(), self._password.encode()):
            if elsewhere:
                raise RequestError(403, _ELSEWHERE)
            return Caller("password", address, ALL, 0)
        if _may_be_placeholder(secret, typed):
            if self._nobody:  # OpenAI's clients insist on sending something
                return None
            raise _unauthorized(_WRONG_KEY)
        key = await to_thread.run_sync(self._keys.find, secret)
        if key is None:
            raise _unauthorized(_WRONG_KEY)
        scopes = ALL if "admin" in key.scopes else key.scopes
        return Caller(f"key:{key.id}", address, scopes, key.per_minute)


def _unauthorized(message: str) -> RequestError:
    # Basic lets a browser ask for the key or the password when the page is not for everybody.
    return RequestError(401, message, {"WWW-Authenticate": 'Basic realm="xiaoquan"'})


def _secret(headers: Mapping[str, str]) -> tuple[str, bool]:
    """Return the key or password of a request, and whether a person typed it into a browser."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return _utf8(value), False
    if kind.lower() != "basic":
        return _utf8(headers.get("x-api-key", "")), False
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2], True
    except (binascii.Error, UnicodeDecodeError):
        return "", True


def _utf8(value: str) -> str:
    """Return a header's value as its client meant it: headers are read as Latin-1."""
    return value.encode("latin-1").decode(errors="replace").strip()


def _may_be_placeholder(secret: str, typed: bool) -> bool:
    """Tell whether a client may send it only because it insists on sending something."""
    return not (typed or secret.startswith(PREFIX))


def _network(host: str) -> str:
    """Return an address as it is counted: who has one IPv6 address has a whole /64 of them."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""  # a Unix socket
    # On a socket for both, a client of IPv4 comes as ::ffff:203.0.113.7.
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return ""
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _counts(scope: Connection) -> bool:
    """Tell whether a request is one of those that are limited; a page's parts are not."""
    return scope.get("method") not in _READING or bool(_COUNTED.fullmatch(scope["path"]))
