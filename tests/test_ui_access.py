"""Access: who may do what, how often, how large; what browsers are told."""

import json
from base64 import b64encode
from hashlib import sha256

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from assistant.chain import Assistant
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from knowledge.types import Document
from ui.admin import admin
from ui.api import create_app
from ui.keys import Keys
from ui.limits import LARGEST_BODY, WRONG_KEYS

NOTICE = Document("d", "停车", "# 停车\n\n停车首小时免费，之后每小时收费3元。\n", "/d.md", {})
PASSWORD = "correct horse"
OUTSIDE = ("203.0.113.7", 5000)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    settings = load_settings(home=tmp_path_factory.mktemp("access"), admin_password=PASSWORD)
    with KnowledgeBase(settings) as base:
        base.add(NOTICE)
        yield base


@pytest.fixture(scope="module")
def keys(base):
    return Keys(base.settings)


@pytest.fixture(scope="module")
def assistant(base):
    return Assistant(base)


@pytest.fixture
def client_of(base, assistant):
    def make(*, loopback=False, address=OUTSIDE, **settings):
        base.settings = base.settings.model_copy(update=settings)
        app = create_app(base, assistant, loopback=loopback)
        return TestClient(app, client=address, raise_server_exceptions=False)

    before = base.settings
    yield make
    base.settings = before


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


# Every route, what it takes, and what it needs.
ASK = {"json": {"question": "停车怎么收费"}}
CHAT = {"json": {"messages": [{"role": "user", "content": "停车怎么收费"}]}}
ROUTES = [
    ("GET", "/healthz", {}, None),
    ("GET", "/readyz", {}, None),
    ("GET", "/docs", {}, "ask"),
    ("GET", "/openapi.json", {}, "ask"),
    ("POST", "/api/ask", ASK, "ask"),
    ("POST", "/v1/chat/completions", CHAT, "ask"),
    ("GET", "/v1/models", {}, "ask"),
    ("GET", "/v1/models/xiaoquan", {}, "ask"),
    ("POST", "/api/feedback", {"json": {"id": "nosuch", "verdict": "up"}}, "ask"),
    ("GET", "/api/conversations", {}, "ask"),
    ("GET", "/api/conversations/x", {}, "ask"),
    ("DELETE", "/api/conversations/x", {}, "ask"),
    ("GET", "/api/search", {"params": {"q": "停车"}}, "search"),
    ("GET", "/api/documents", {}, "search"),
    ("GET", "/api/documents/d", {}, "search"),
    ("GET", "/api/feedback", {}, "admin"),
    ("POST", "/api/documents", {}, "admin"),
    ("PUT", "/api/documents/d", {}, "admin"),
    ("PATCH", "/api/documents/d", {}, "admin"),
    ("DELETE", "/api/documents/nosuch", {}, "admin"),
    ("GET", "/api/jobs", {}, "admin"),
    ("GET", "/api/jobs/x", {}, "admin"),
    ("GET", "/metrics", {}, "admin"),
]
CREDENTIALS = {
    "nothing": set(),
    "a wrong key": set(),
    "a revoked key": set(),
    "a placeholder": set(),
    "a wrong password": set(),
    "ask": {"ask"},
    "search": {"search"},
    "admin": {"ask", "search", "admin"},
    "the password": {"ask", "search", "admin"},
}


def headers_for(credential, keys):
    if credential in {"ask", "search", "admin"}:
        return bearer(keys.make(credential, [credential]))
    revoked = keys.make("revoked", ["admin"])
    keys.revoke(revoked.split("-")[1])
    basic = {"a wrong password": "YWRtaW46d3Jvbmc=", "the password": "YWRtaW46Y29ycmVjdCBob3JzZQ=="}
    return {
        "nothing": {},
        "a wrong key": bearer("xq-00000000-nosuch"),
        "a revoked key": bearer(revoked),
        "a placeholder": bearer("none"),
    }.get(credential) or (
        {"Authorization": f"Basic {basic[credential]}"} if credential in basic else {}
    )


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_nothing_answers_that_should_not(credential, client_of, keys):
    headers = headers_for(credential, keys)
    for method, path, content, needs in ROUTES:
        client = client_of(rate_limit=0)
        status = client.request(method, path, headers=headers, **content).status_code
        allowed = needs is None or needs in CREDENTIALS[credential]
        assert (status not in {401, 403}) == allowed, (method, path, credential, status)


def test_every_route_is_in_the_table(client_of):
    listed = client_of(loopback=True).get("/openapi.json").json()["paths"]
    routes = {(m.upper(), path) for path, methods in listed.items() for m in methods}
    tried = {(method, path) for method, path, _, _ in ROUTES}
    for method, path in routes:
        start = path.split("{")[0]
        assert any(m == method and p.startswith(start) for m, p in tried), (method, path)


@pytest.mark.parametrize("path", ["/admin", "/admin/settings", "/admin/passages?document=d"])
def test_operators_pages_need_what_operators_have(client_of, keys, path):
    client = client_of(loopback=True)
    client.app.include_router(admin)
    assert client.get(path).status_code == 401
    assert client.get(path, headers=bearer(keys.make("k", ["ask", "search"]))).status_code == 403
    assert client.get(path, headers=bearer(PASSWORD)).status_code == 200


@pytest.mark.parametrize("name", ["database_url", "catalogue_url"])
@pytest.mark.parametrize(
    "given",
    [
        "u:geheim@db:5432/x",
        "u:/geheim@db:5432/x",
        "u:a:geheim@db:5432/x",
        "u@db:5432/x?password=geheim",
    ],
)
def test_a_databases_password_is_shown_to_nobody(client_of, name, given):
    client = client_of(loopback=True)
    client.app.include_router(admin)
    service = client.app.state.service
    url = f"postgresql+psycopg://{given}"
    service.base.settings = service.base.settings.model_copy(update={name: url})
    shown = client.get("/admin/settings", headers=bearer(PASSWORD)).text
    assert "db:5432" in shown
    assert "geheim" not in shown
    assert PASSWORD not in shown


def test_on_loopback_anybody_asks_and_searches_but_changes_nothing(client_of):
    client = client_of(loopback=True)
    for method, path, content, needs in ROUTES:
        status = client.request(method, path, **content).status_code
        assert (status == 401) == (needs == "admin"), (method, path)


def test_a_setting_lets_anybody_ask_elsewhere_or_nobody_here(client_of):
    assert client_of(anonymous=True).post("/api/ask", **ASK).status_code == 200
    assert client_of(anonymous=False, loopback=True).post("/api/ask", **ASK).status_code == 401


def test_where_anybody_may_ask_openai_clients_send_any_key_but_a_wrong_one_of_ours(client_of):
    client = client_of(loopback=True)
    assert client.post("/v1/chat/completions", headers=bearer("none"), **CHAT).status_code == 200
    wrong = client.post("/v1/chat/completions", headers=bearer("xq-1-2"), **CHAT)
    assert wrong.status_code == 401
    assert wrong.json()["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    "path",
    [
        "/api/nosuch",
        "/api/ask/",
        "//api/feedback",
        "/API/feedback",
        "/api/%2e%2e/metrics",
        "/api/conversations/",
    ],
)
def test_no_spelling_of_an_address_goes_round_the_guard(client_of, path):
    response = client_of(loopback=True).get(path)
    assert response.status_code in {401, 404}
    assert response.json()["error"] if path.startswith("/api/") else True


def test_what_a_browser_sends_for_another_site_is_no_operator(client_of):
    headers = {
        "Authorization": "Basic YWRtaW46Y29ycmVjdCBob3JzZQ==",
        "Sec-Fetch-Site": "cross-site",
    }
    assert client_of().get("/api/feedback", headers=headers).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_was_typed_into_a_browser_changes_nothing_for_another_site(
    client_of, keys, site, method
):
    key = keys.make("operator", ["admin"])
    basic = "Basic " + b64encode(f"operator:{key}".encode()).decode()

    def status(authorization, site, method=method):
        headers = {"Authorization": authorization, "Sec-Fetch-Site": site}
        path = "/api/documents" if method == "POST" else "/api/documents/nosuch"
        return client_of().request(method, path, headers=headers).status_code

    assert status(basic, site) == 403
    assert status(basic, site, "GET") == 404  # a link from there
    assert 403 not in {status(basic, "same-origin"), status(basic, "none")}
    assert status(f"Bearer {key}", site) != 403  # that page's own


def test_only_hashes_are_kept(base, keys):
    key = keys.make("someone", ["ask"])
    secret = key.split("-", maxsplit=2)[2]  # what follows "xq-" and the id; it may hold "-" itself
    files = [f.read_bytes() for f in base.home.glob("history.sqlite3*")]
    assert files
    assert not any(secret.encode() in content for content in files)


# -- how often, how large


def test_one_address_has_a_limit_and_is_told_when_to_come_again(client_of):
    client = client_of(anonymous=True, rate_limit=2)
    responses = [client.get("/v1/models") for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 429]
    assert 0 < int(responses[-1].headers["Retry-After"]) <= 60
    assert responses[-1].json()["error"]["code"] == "rate_limit_exceeded"


def test_what_to_ask_next_is_work_and_counts_the_parts_of_a_page_do_not(client_of):
    client = client_of(anonymous=True, rate_limit=2)
    parts = [client.get("/page/static/x.js").status_code for _ in range(3)]
    further = [client.get("/page/answers/x/next").status_code for _ in range(3)]
    assert (parts, further) == ([404] * 3, [404, 404, 429])


def test_the_machine_itself_and_other_addresses_are_not_held_up(client_of):
    here = client_of(anonymous=True, rate_limit=1, address=("127.0.0.1", 1))
    assert [here.get("/v1/models").status_code for _ in range(3)] == [200] * 3
    client = client_of(anonymous=True, rate_limit=1)
    other = TestClient(client.app, client=("203.0.113.8", 1))
    assert [c.get("/v1/models").status_code for c in (client, client, other)] == [200, 429, 200]


def test_a_key_has_its_own_limit_wherever_it_is_used(client_of, keys):
    client = client_of()
    headers = bearer(keys.make("terminals", ["ask"], 2))
    other = TestClient(client.app, client=("203.0.113.8", 1))
    codes = [c.get("/v1/models", headers=headers).status_code for c in (client, other, client)]
    assert codes == [200, 200, 429]


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
@pytest.mark.parametrize("guess", ["xq-{}", "horse {}"])
@pytest.mark.parametrize("anonymous", [True, False])
def test_guessing_keys_ends_soon(client_of, header, guess, anonymous):
    client = client_of(rate_limit=0, anonymous=anonymous)

    def status(secret):
        given = f"Bearer {secret}" if header == "Authorization" else secret
        return client.get("/api/feedback", headers={header: given}).status_code

    codes = [status(guess.format(n)) for n in range(WRONG_KEYS + 1)]
    assert codes == [401] * WRONG_KEYS + [429]
    assert status(PASSWORD) == 429


def test_who_comes_without_a_key_guesses_none_and_is_not_held_up(client_of):
    client = client_of(rate_limit=0)
    codes = [client.get("/api/feedback").status_code for _ in range(WRONG_KEYS + 1)]
    assert codes == [401] * (WRONG_KEYS + 1)


def test_the_password_is_not_told_from_a_placeholder_by_its_having_no_limit(client_of):
    client = client_of(anonymous=True, rate_limit=1)
    for n in range(1 + WRONG_KEYS):
        client.get("/v1/models", headers={"X-API-Key": f"guess {n}"})
    assert client.get("/v1/models", headers={"X-API-Key": PASSWORD}).status_code == 429


@pytest.mark.parametrize("header", ["Bearer", "Basic", "X-API-Key"])
def test_a_wrong_password_is_told_to_be_wrong_where_anybody_may_ask(client_of, header):
    client = client_of(anonymous=True)
    typed = b64encode(b"operator:wrong").decode()
    sent = {
        "Bearer": {"Authorization": "Bearer wrong"},
        "Basic": {"Authorization": f"Basic {typed}"},
        "X-API-Key": {"X-API-Key": "wrong"},
    }[header]
    response = client.get("/metrics", headers=sent)
    assert (response.status_code, "不对" in response.json()["error"]) == (401, True)
    assert "需要" in client.get("/metrics").json()["error"]


@pytest.mark.parametrize("anonymous", [True, False])
def test_somebody_elses_guesses_hold_up_nobody_who_sends_no_key(client_of, anonymous):
    client = client_of(rate_limit=0, anonymous=anonymous)
    for n in range(WRONG_KEYS + 1):
        client.get("/v1/models", headers=bearer(f"xq-00000000-{n}"))
    assert client.get("/v1/models").status_code == (200 if anonymous else 401)


def test_who_asks_too_often_with_a_placeholder_has_guessed_no_key(client_of, keys):
    client = client_of(anonymous=True, rate_limit=1)
    for _ in range(1 + WRONG_KEYS):
        client.get("/v1/models", headers=bearer("none"))
    told = client.get("/v1/models", headers=bearer("none"))
    assert told.status_code == 429
    assert "密钥" not in told.json()["error"]["message"]
    key = bearer(keys.make("neighbour", ["ask"]))
    assert client.get("/v1/models", headers=key).status_code == 200


def test_addresses_of_ipv4_are_told_apart_on_a_socket_for_both(client_of):
    client = client_of(anonymous=True, rate_limit=1, address=("::ffff:203.0.113.7", 1))
    other = TestClient(client.app, client=("::ffff:203.0.113.8", 1))
    assert [c.get("/v1/models").status_code for c in (client, client, other)] == [200, 429, 200]
    here = TestClient(client.app, client=("::ffff:127.0.0.1", 1))
    assert [here.get("/v1/models").status_code for _ in range(2)] == [200, 200]


def test_addresses_of_ipv6_count_by_their_network(client_of):
    client = client_of(anonymous=True, rate_limit=1, address=("2001:db8::1", 1))
    same = TestClient(client.app, client=("2001:db8::2", 1))
    other = TestClient(client.app, client=("2001:db8:1::1", 1))
    assert [c.get("/v1/models").status_code for c in (client, same, other)] == [200, 429, 200]


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_a_password_may_be_chinese_in_every_header(client_of, header):
    client = client_of(admin_password=SecretStr("泉州丠"))  # its last byte is a space in Latin-1
    given = "Bearer 泉州丠" if header == "Authorization" else "泉州丠"
    assert client.get("/api/feedback", headers={header: given.encode()}).status_code == 200
    wrong = given.replace("泉", "福").encode()
    assert client.get("/api/feedback", headers={header: wrong}).status_code == 401
    assert client.get("/api/feedback", headers={header: b"Bearer \xff\xfe"}).status_code == 401


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_not_read(client_of, announced):
    whole = json.dumps({"question": "问", "more": "x" * LARGEST_BODY}).encode()
    body = whole if announced else iter([whole[:1000], whole[1000:]])
    response = client_of(loopback=True).post(
        "/api/ask", content=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 413
    assert "太大" in response.json()["error"]


# -- browsers


def test_answers_carry_secure_headers_and_stay_in_no_cache(client_of):
    headers = client_of(loopback=True).post("/api/ask", **ASK).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "SAMEORIGIN"


def test_sites_may_show_and_call_it_where_a_setting_names_them(client_of):
    site = "https://www.example.gov.cn"
    client = client_of(loopback=True, cors_origins=site, frame_ancestors=site)
    response = client.post("/api/ask", headers={"Origin": site}, **ASK)
    assert response.headers["Access-Control-Allow-Origin"] == site
    assert f"frame-ancestors {site}" in response.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in response.headers
    other = client.post("/api/ask", headers={"Origin": "https://evil.example"}, **ASK)
    assert "Access-Control-Allow-Origin" not in other.headers


def test_openais_client_may_call_from_the_page_of_a_site_that_is_named(client_of):
    site = "https://www.example.gov.cn"
    asked = {
        "Origin": site,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-stainless-lang",
    }
    client = client_of(anonymous=False, cors_origins=site)
    told = client.options("/v1/chat/completions", headers=asked)
    assert told.status_code == 200
    assert "x-stainless-lang" in told.headers["Access-Control-Allow-Headers"]
    asked["Origin"] = "https://evil.example"
    assert client.options("/v1/chat/completions", headers=asked).status_code == 400


@pytest.mark.parametrize("own", [{}, {"X-Owner": "a-token-of-one-operator"}])
def test_no_owner_that_is_sent_without_a_key_reaches_what_belongs_to_one(client_of, own):
    client = client_of(anonymous=True, rate_limit=0)
    mine = bearer(PASSWORD) | own
    question = ASK["json"] | {"conversation_id": f"operators-{len(own)}"}
    assert client.post("/api/ask", json=question, headers=mine).status_code == 200
    digest = sha256(f"password {own.get('X-Owner', '')}".encode()).hexdigest()
    stranger = {"X-Owner": digest}
    path = f"/api/conversations/{question['conversation_id']}"
    assert client.get("/api/conversations", headers=stranger).json() == []
    assert client.delete(path, headers=stranger).status_code == 404
    assert len(client.get(path, headers=mine).json()) == 1


def test_a_token_as_long_as_a_header_may_be_keeps_conversations_for_who_sends_it(client_of):
    client = client_of(anonymous=True, rate_limit=0)
    mine = {"X-Owner": "0123456789abcdef" * 4}
    question = ASK["json"] | {"conversation_id": "long"}
    client.post("/api/ask", json=question, headers=mine)
    assert [one["id"] for one in client.get("/api/conversations", headers=mine).json()] == ["long"]
