"""Every rule of the facts page that the test's Graph API enforces, asked of it in plain HTTP."""

import json
import re
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, Literal

import httpx
import pytest
from PIL import Image, ImageCms

from tests.studio.publishing.graph import Clock, Graph, Options
from tests.studio.publishing.graph_caller import AT, Caller, error
from tests.studio.publishing.graph_clock import DAY, HOUR, MINUTE
from tests.studio.publishing.graph_samples import Shelf, clip, picture
from tests.studio.publishing.graph_truth import FACEBOOK, INSTAGRAM

SECRET = {"client_secret": "app-secret"}


@pytest.fixture
def graph() -> Iterator[Graph]:
    """One that believes what it is told of files."""
    with Graph(seed=1, clock=Clock(1), options=Options(check_files=False)) as graph:
        yield graph


@pytest.fixture
def ada(graph: Graph) -> Caller:
    return Caller(graph)


@pytest.fixture
def looking() -> Iterator[tuple[Caller, Shelf]]:
    """One that fetches what it is given the address of, and looks into it."""
    options = Options(patience=1, video_delay=0.1)
    with Shelf() as shelf, Graph(seed=1, clock=Clock(1), options=options) as graph:
        yield Caller(graph), shelf


# Posts, from container to permalink


def test_an_image_goes_from_container_to_post(ada: Caller) -> None:
    name = ada.made(image_url=AT, caption="One", alt_text="A square")
    assert ada.status(name) == "IN_PROGRESS"
    assert error(ada.publish(name)) == "9007/2207027"
    ada.graph.clock.advance(MINUTE)
    answer = ada.get(f"/{name}", fields="id,status_code,status").json()
    assert answer["status_code"] == "FINISHED"
    assert answer["status"].startswith("Finished")
    before = int(ada.graph.clock.now())
    media = ada.publish(name).json()["id"]
    assert media != name
    assert ada.status(name) == "PUBLISHED"
    fields = "id,caption,media_type,media_product_type,timestamp,permalink,media_url,username,alt_text"
    post = ada.get(f"/{media}", fields=fields).json()
    shown = {"id": media, "caption": "One", "media_type": "IMAGE", "media_product_type": "FEED", "username": "ada"}
    assert post.items() >= (shown | {"media_url": AT, "alt_text": "A square"}).items()
    assert post["permalink"].startswith("https://www.instagram.com/p/")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", post["timestamp"])
    assert abs(time.mktime(time.strptime(post["timestamp"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - before) < 5
    [kept] = ada.graph.truth.posts_with("One")
    assert (kept.id, kept.container.id) == (media, name)


@pytest.mark.parametrize(
    ("params", "kind", "product", "path"),
    [
        ({"image_url": AT}, "IMAGE", "FEED", "/p/"),
        ({"image_url": AT, "media_type": "IMAGE"}, "IMAGE", "FEED", "/p/"),
        ({"video_url": AT, "media_type": "REELS"}, "VIDEO", "REELS", "/reel/"),
        ({"image_url": AT, "media_type": "STORIES"}, "IMAGE", "STORY", "/stories/"),
        ({"video_url": AT, "media_type": "STORIES"}, "VIDEO", "STORY", "/stories/"),
    ],
)
def test_each_kind_becomes_its_product(ada: Caller, params: dict[str, str], kind: str, product: str, path: str) -> None:
    post = ada.get(f"/{ada.posted(**params)}", fields="media_type,media_product_type,permalink").json()
    assert (post["media_type"], post["media_product_type"]) == (kind, product)
    assert path in post["permalink"]


@pytest.mark.parametrize("as_json", [False, True])
def test_a_carousel_has_its_children(ada: Caller, as_json: bool) -> None:
    children = ada.children(3)
    listed = json.dumps(children.split(",")) if as_json else children
    media = ada.posted(media_type="CAROUSEL", children=listed, caption="Three", is_ai_generated="true")
    post = ada.get(f"/{media}", fields="media_type,media_product_type,children,is_ai_generated").json()
    assert (post["media_type"], post["media_product_type"]) == ("CAROUSEL_ALBUM", "FEED")
    assert post["is_ai_generated"] is True
    parts = [each["id"] for each in post["children"]["data"]]
    assert len(parts) == 3
    assert all(ada.get(f"/{part}", fields="media_url").json()["media_url"] == AT for part in parts)
    assert [each["id"] for each in ada.get(f"/{ada.account.id}/media").json()["data"]] == [media]
    # n and one containers.
    assert len(ada.account.made) == 4


def test_a_body_may_be_form_json_or_address(ada: Caller) -> None:
    path = f"/{ada.account.id}/media"
    params = {"image_url": AT, "access_token": ada.token, "caption": "Ä #b & c"}
    answers = [
        ada.client.post(path, params=params),
        ada.client.post(path, data=params),
        ada.client.post(path, json=params | {"user_tags": [{"username": "rui", "x": 0.5, "y": 0.5}]}),
    ]
    containers = [ada.graph.truth.containers[answer.json()["id"]] for answer in answers]
    assert {container.params["caption"] for container in containers} == {"Ä #b & c"}
    wrong = ada.client.post(path, content=b"{", headers={"content-type": "application/json"})
    assert error(wrong) == "100"


# The table of parameters

REEL = {"video_url": AT, "media_type": "REELS"}
STORY = {"image_url": AT, "media_type": "STORIES"}
CHILD = {"image_url": AT, "is_carousel_item": "true"}
CLIP = {"video_url": AT, "is_carousel_item": "true", "media_type": "VIDEO"}
TAGS = json.dumps([{"username": "rui", "x": 0.1, "y": 1}])


@pytest.mark.parametrize(
    "params",
    [
        {"image_url": AT, "caption": "c", "alt_text": "a", "user_tags": TAGS, "collaborators": '["rui"]'},
        {"image_url": AT, "is_ai_generated": "true"},
        REEL | {"caption": "c", "cover_url": AT, "user_tags": TAGS, "collaborators": '["rui", "vic", "sam"]'},
        REEL | {"thumb_offset": "1000", "is_ai_generated": "true"},
        # A cover wins, so nobody looks at the offset.
        REEL | {"cover_url": AT, "thumb_offset": "-1"},
        {"upload_type": "resumable", "media_type": "REELS"},
        {"upload_type": "resumable", "media_type": "STORIES"},
        {"upload_type": "resumable", "media_type": "VIDEO", "is_carousel_item": "true"},
        STORY | {"user_tags": TAGS, "is_ai_generated": "true"},
        CHILD | {"alt_text": "a", "user_tags": TAGS},
        CLIP | {"thumb_offset": "10", "cover_url": AT, "user_tags": TAGS},
        {"image_url": AT, "caption": "c" * 2200},
        {"image_url": AT, "caption": "#a " * 30},
        {"image_url": AT, "caption": "@a " * 20},
        {"image_url": AT, "alt_text": "a" * 1000},
    ],
)
def test_what_the_table_allows_is_taken(ada: Caller, params: dict[str, str]) -> None:
    assert ada.made(**params) in ada.graph.truth.containers


@pytest.mark.parametrize(
    ("params", "name"),
    [
        # What each kind has not.
        ({"image_url": AT, "thumb_offset": "1"}, "100"),
        ({"image_url": AT, "cover_url": AT}, "100"),
        ({"image_url": AT, "children": "1,2"}, "100"),
        ({"image_url": AT, "is_carousel_item": "perhaps"}, "100"),
        (REEL | {"alt_text": "a"}, "100"),
        (REEL | {"is_carousel_item": "true"}, "100"),
        (STORY | {"caption": "c"}, "100"),
        (STORY | {"alt_text": "a"}, "100"),
        (STORY | {"collaborators": '["rui"]'}, "100"),
        (STORY | {"thumb_offset": "1"}, "100"),
        (CHILD | {"caption": "c"}, "100"),
        (CHILD | {"is_ai_generated": "true"}, "100"),
        (CHILD | {"is_ai_generated": "false"}, "100"),
        (CHILD | {"collaborators": '["rui"]'}, "100"),
        (CHILD | {"thumb_offset": "1"}, "100"),
        (CHILD | {"media_type": "IMAGE"}, "100"),
        (CLIP | {"alt_text": "a"}, "100"),
        (CLIP | {"media_type": ""}, "100"),
        ({"image_url": AT, "captoin": "c"}, "100"),
        # Where it comes from.
        ({"caption": "c"}, "100"),
        ({"media_type": "REELS"}, "100"),
        (REEL | {"upload_type": "resumable"}, "100"),
        (STORY | {"video_url": AT}, "100"),
        ({"video_url": AT}, "100"),
        ({"media_type": "REELS", "upload_type": "other"}, "100"),
        ({"media_type": "FILM", "image_url": AT}, "100/2207023"),
        ({"media_type": "VIDEO", "video_url": AT}, "100/2207023"),
        # How much of it.
        ({"image_url": AT, "caption": "c" * 2201}, "36004/2207010"),
        ({"image_url": AT, "caption": "#a " * 31}, "36004/2207010"),
        ({"image_url": AT, "caption": "@a " * 21}, "36004/2207010"),
        ({"image_url": AT, "alt_text": "a" * 1001}, "100"),
        ({"image_url": AT, "collaborators": '["a", "b", "c", "d"]'}, "100"),
        ({"image_url": AT, "collaborators": "rui"}, "100"),
        ({"image_url": AT, "user_tags": json.dumps([{"username": "a", "x": 0, "y": 0}] * 21)}, "100/2207040"),
        ({"image_url": AT, "user_tags": '[{"username": "a", "x": 2, "y": 0}]'}, "100"),
        ({"image_url": AT, "user_tags": '[{"username": "a"}]'}, "100"),
        ({"image_url": AT, "user_tags": '["a"]'}, "100"),
        ({"image_url": AT, "user_tags": '{"username": "a"}'}, "100"),
        (REEL | {"thumb_offset": "-1"}, "100/2207057"),
        ({"image_url": AT, "is_ai_generated": "yes"}, "100"),
        # Of how many.
        ({"media_type": "CAROUSEL", "children": "1"}, "100/2207028"),
        ({"media_type": "CAROUSEL", "children": ",".join(map(str, range(11)))}, "100/2207028"),
        ({"media_type": "CAROUSEL", "children": "1,1"}, "100/2207028"),
        ({"media_type": "CAROUSEL"}, "100/2207028"),
        ({"media_type": "CAROUSEL", "children": "1,2"}, "24/2207006"),
        ({"media_type": "CAROUSEL", "children": "1,2", "image_url": AT}, "100"),
        ({"media_type": "CAROUSEL", "children": "1,2", "user_tags": TAGS}, "100"),
        ({"media_type": "CAROUSEL", "children": "1,2", "alt_text": "a"}, "100"),
    ],
)
def test_what_the_table_does_not_allow_is_refused(ada: Caller, params: dict[str, str], name: str) -> None:
    assert error(ada.create(**params)) == name
    assert not ada.graph.truth.containers


def test_children_are_finished_items_of_the_same_account(ada: Caller) -> None:
    early = ",".join(ada.made(**CHILD) for _ in range(2))
    assert error(ada.create(media_type="CAROUSEL", children=early)) == "9007/2207027"
    image = ada.ready(image_url=AT)
    child = ada.ready(**CHILD)
    assert error(ada.create(media_type="CAROUSEL", children=f"{child},{image}")) == "100/2207028"
    sam = Caller(ada.graph)
    assert error(sam.create(media_type="CAROUSEL", children=sam.children(1) + f",{child}")) == "24/2207006"
    ada.graph.clock.advance(DAY)
    assert error(ada.create(media_type="CAROUSEL", children=early)) == "-2/2207020"
    assert error(ada.publish(ada.ready(**CHILD))) == "100/2207028"


def test_ten_children_are_enough(ada: Caller) -> None:
    assert ada.posted(media_type="CAROUSEL", children=ada.children(10))


# Containers and their life


def test_a_container_lives_a_day(ada: Caller) -> None:
    name, published = ada.ready(image_url=AT), ada.ready(image_url=AT)
    assert ada.publish(published).status_code == 200
    ada.graph.clock.advance(DAY - 10 * MINUTE)
    assert ada.status(name) == "FINISHED"
    ada.graph.clock.advance(20 * MINUTE)
    assert ada.status(name) == "EXPIRED"
    assert error(ada.publish(name)) == "-2/2207020"
    assert ada.status(published) == "PUBLISHED"


def test_a_published_container_answers_an_error_and_makes_no_second_post(ada: Caller) -> None:
    name = ada.ready(image_url=AT, caption="Once")
    assert ada.publish(name).status_code == 200
    said = {error(ada.publish(name)) for _ in range(20)}
    assert said == {"24/2207006", "24/2207008", "-1/2207032", "-1/2207053"}
    assert len(ada.graph.truth.posts_with("Once")) == 1
    assert not ada.graph.truth.doubles()


def test_the_cruel_mode_makes_two_posts_of_one_container(ada: Caller) -> None:
    ada.graph.options.doubles = True
    name = ada.ready(image_url=AT, caption="Twice")
    first, second = (ada.publish(name).json()["id"] for _ in range(2))
    assert first != second
    ada.graph.clock.advance(ada.graph.options.doubles_within + 1)
    assert ada.publish(name).status_code == 400
    assert [[post.id for post in same] for same in ada.graph.truth.doubles()] == [[first, second]]
    assert [post.id for post in ada.graph.truth.containers[name].posts] == [first, second]


def test_two_containers_of_one_story_are_a_double_too(ada: Caller) -> None:
    for number in range(2):
        ada.posted(image_url=f"{AT}?signed={number}", media_type="STORIES")
    ada.posted(image_url="http://media.invalid/b.jpg", media_type="STORIES")
    assert [len(same) for same in ada.graph.truth.doubles()] == [2]


def test_what_is_not_there_or_not_ones_own_is_not_found(ada: Caller) -> None:
    sam = Caller(ada.graph)
    name, media = sam.ready(image_url=AT), sam.posted(image_url=AT)
    assert error(ada.publish("123")) == "24/2207006"
    assert error(ada.publish(name)) == "24/2207006"
    for path in (name, media, "123", f"{media}/insights", f"{media}/comments"):
        assert error(ada.get(f"/{path}")) == "100/33"
    assert error(ada.get(f"/{sam.account.id}/media")) == "10"
    assert error(ada.get("/123/media")) == "100/33"
    assert error(ada.get(f"/{name}/nothing")) == "100"


def test_400_containers_a_day(ada: Caller) -> None:
    ada.account.made += [ada.graph.clock.now()] * 395
    for _ in range(5):
        ada.made(image_url=AT)
    answer = ada.create(image_url=AT)
    assert error(answer) == "80002"
    [usage] = json.loads(answer.headers["x-business-use-case-usage"])["app"]
    assert 24 * 60 - 5 <= usage["estimated_time_to_regain_access"] <= 24 * 60
    ada.graph.clock.advance(DAY)
    assert ada.made(image_url=AT)


# Quota and restrictions


@pytest.mark.parametrize("login", [INSTAGRAM, FACEBOOK])
def test_the_posts_of_a_day_are_counted(graph: Graph, login: str) -> None:
    account = graph.truth.account("ada", login, posts_a_day=2)
    ada = Caller(graph, login, account)
    last = [ada.ready(image_url=AT) for _ in range(3)]
    assert [ada.publish(name).status_code for name in last[:2]] == [200, 200]
    assert error(ada.publish(last[2])) == "9/2207042"
    limit = ada.get(f"/{account.id}/content_publishing_limit", fields="quota_usage,config")
    if login == INSTAGRAM:
        # Documented only for the other host.
        assert error(limit) == "100"
    else:
        config = {"quota_total": 2, "quota_duration": 86400}
        assert limit.json()["data"] == [{"quota_usage": 2, "config": config}]
    ada.graph.clock.advance(DAY)
    assert ada.publish(ada.ready(image_url=AT)).status_code == 200


def test_a_restricted_account_publishes_nothing(ada: Caller) -> None:
    name = ada.ready(image_url=AT)
    ada.account.restricted = True
    assert error(ada.publish(name)) == "25/2207050"


# Reading


def test_the_list_is_newest_first_and_comes_in_pages(ada: Caller) -> None:
    made = [ada.posted(image_url=AT, caption=f"Number {number}") for number in range(7)]
    ada.posted(image_url=AT, media_type="STORIES")
    page = ada.get(f"/{ada.account.id}/media", fields="id,caption", limit="3").json()
    found = [page["data"]]
    while "next" in page["paging"]:
        page = ada.client.get(page["paging"]["next"]).json()
        found.append(page["data"])
    assert [len(rows) for rows in found] == [3, 3, 1]
    assert [row["id"] for rows in found for row in rows] == made[::-1]
    assert found[0][0]["caption"] == "Number 6"
    after = ada.get("/me/media", limit="3", after="nonsense")
    assert error(after) == "100"
    assert error(ada.get("/me/media", limit="many")) == "100"


def test_stories_have_their_own_list_for_a_day(ada: Caller) -> None:
    story = ada.posted(image_url=AT, media_type="STORIES")
    path = f"/{ada.account.id}/stories"
    assert [row["id"] for row in ada.get(path).json()["data"]] == [story]
    assert ada.get(f"/{ada.account.id}/media").json()["data"] == []
    ada.graph.options.stories_in_media = True
    assert [row["id"] for row in ada.get(f"/{ada.account.id}/media").json()["data"]] == [story]
    ada.graph.clock.advance(DAY)
    assert ada.get(path).json()["data"] == []


def test_only_known_fields_are_read(ada: Caller) -> None:
    name, media = ada.ready(image_url=AT), ada.posted(image_url=AT)
    for path in (name, media, ada.account.id):
        assert ada.get(f"/{path}").json() == {"id": path}
        assert error(ada.get(f"/{path}", fields="id,wisdom")) == "100"


def test_whose_token_it_is(graph: Graph) -> None:
    for login in (INSTAGRAM, FACEBOOK):
        caller = Caller(graph, login)
        me = caller.get("/me", fields="user_id,username").json()
        assert (me["user_id"], me["username"]) == (caller.account.id, "ada")
        pages = caller.get("/me/accounts")
        if login == FACEBOOK:
            assert pages.json()["data"][0]["instagram_business_account"] == {"id": caller.account.id}
        else:
            assert error(pages) == "100"


def test_a_post_is_commented_on(ada: Caller) -> None:
    media = ada.posted(image_url=AT)
    made = ada.post(f"/{media}/comments", message="#first").json()["id"]
    [row] = ada.get(f"/{media}/comments", fields="id,text,username,timestamp").json()["data"]
    assert (row["id"], row["text"], row["username"]) == (made, "#first", "ada")
    assert ada.get(f"/{media}", fields="comments_count").json()["comments_count"] == 1
    assert error(ada.post(f"/{media}/comments")) == "100"


def test_insights_are_left_out_until_they_are_there(ada: Caller) -> None:
    metrics = "reach,views,likes,comments,saved,shares,follows,profile_visits,total_interactions"
    reel, image = ada.posted(**REEL), ada.posted(image_url=AT)
    early = ada.get(f"/{image}/insights", metric=metrics).json()["data"]
    assert {row["name"] for row in early} < set(metrics.split(","))
    ada.graph.clock.advance(48 * HOUR)
    rows = {row["name"]: row for row in ada.get(f"/{image}/insights", metric=metrics).json()["data"]}
    assert rows.keys() == set(metrics.split(","))
    values = {name: row["values"][0]["value"] for name, row in rows.items()}
    assert values["total_interactions"] == sum(values[name] for name in ("likes", "comments", "saved", "shares"))
    watched = ada.get(f"/{reel}/insights", metric="ig_reels_avg_watch_time").json()["data"]
    assert watched[0]["values"][0]["value"] > 0
    for media, gone in ((image, "ig_reels_avg_watch_time"), (image, "impressions"), (reel, "impressions"), (reel, "")):
        assert error(ada.get(f"/{media}/insights", metric=gone)) == "100"


def test_insights_of_a_container_are_not_those_of_its_post(ada: Caller) -> None:
    name = ada.ready(image_url=AT)
    ada.publish(name)
    assert error(ada.get(f"/{name}/insights", metric="reach")) == "100/33"


def test_a_test_may_bring_its_own_audience() -> None:
    with Graph(audience=lambda post, name, hours: 7 if hours > 1 else None) as graph:
        graph.options.check_files = False
        ada = Caller(graph)
        media = ada.posted(image_url=AT)
        graph.clock.advance(2 * HOUR)
        assert ada.get(f"/{media}/insights", metric="reach").json()["data"][0]["values"] == [{"value": 7}]


# Tokens, hosts and permissions


def test_tokens_end_are_revoked_or_were_never_given(ada: Caller) -> None:
    good = ada.token
    assert ada.client.get("/me", headers={"Authorization": f"Bearer {good}"}).status_code == 200
    ada.token = "nonsense"
    assert error(ada.get("/me")) == "190"
    ada.token = ada.graph.truth.token(ada.account)
    ada.graph.truth.expire(ada.token)
    answer = ada.get("/me")
    assert (answer.status_code, error(answer)) == (401, "190/463")
    ada.token = ada.graph.truth.token(ada.account)
    ada.graph.truth.revoke(ada.token)
    assert error(ada.get("/me")) == "190/460"
    ada.token = good
    ada.graph.clock.advance(60 * DAY)
    assert error(ada.get("/me")) == "190/463"


def test_each_host_knows_the_tokens_of_its_login(graph: Graph) -> None:
    instagram, facebook = Caller(graph), Caller(graph, FACEBOOK)
    instagram.token, facebook.token = facebook.token, instagram.token
    assert {error(caller.get("/me")) for caller in (instagram, facebook)} == {"190"}
    # Without a host in the path, it is the token's.
    answer = facebook.client.get(f"{graph.url}/v26.0/me", params={"access_token": facebook.token})
    assert answer.json()["id"] == instagram.account.id


@pytest.mark.parametrize("login", [INSTAGRAM, FACEBOOK])
def test_each_call_needs_its_permission(graph: Graph, login: str) -> None:
    ada = Caller(graph, login)
    name, media = ada.ready(image_url=AT), ada.posted(image_url=AT)
    calls: dict[str, Callable[[], httpx.Response]] = {
        "basic": lambda: ada.get(f"/{media}"),
        "publish": lambda: ada.publish(name),
        "insights": lambda: ada.get(f"/{media}/insights", metric="reach"),
    }
    for missing, call in calls.items():
        ada.token = graph.truth.token(ada.account, without=missing)
        answer = call()
        assert (answer.status_code, error(answer)) == (403, "10")
    ada.token = graph.truth.token(ada.account)
    assert {call().status_code for call in calls.values()} == {200}


def test_a_code_becomes_a_token_of_an_hour_and_that_one_of_sixty_days(ada: Caller) -> None:
    truth = ada.graph.truth
    params = SECRET | {"client_id": "app", "redirect_uri": "https://studio.invalid/", "code": truth.code(ada.account)}
    url = f"{ada.graph.instagram_url}/oauth/access_token"
    short = ada.client.post(url, data=params | {"grant_type": "authorization_code"}).json()
    assert (short["user_id"], short["expires_in"]) == (ada.account.id, 3600)
    assert error(ada.client.post(url, data=params)) == "100"
    path = f"{ada.graph.instagram_url}/access_token"
    exchange = SECRET | {"grant_type": "ig_exchange_token", "access_token": short["access_token"]}
    long = ada.client.get(path, params=exchange).json()
    assert (long["token_type"], long["expires_in"]) == ("bearer", 60 * 86400)
    assert error(ada.client.get(path, params=exchange | {"client_secret": "guessed"})) == "10"
    assert error(ada.client.get(path, params=exchange | {"access_token": long["access_token"]})) == "100"
    assert error(ada.client.get(path, params=exchange | {"grant_type": "other"})) == "100"
    ada.graph.clock.advance(HOUR)
    assert error(ada.client.get(path, params=exchange)) == "190/463"
    ada.token = long["access_token"]
    assert ada.get("/me").status_code == 200


def test_a_token_is_refreshed_when_it_is_a_day_old_and_not_over(ada: Caller) -> None:
    def refresh(text: str) -> httpx.Response:
        params = {"grant_type": "ig_refresh_token", "access_token": text}
        return ada.client.get(f"{ada.graph.instagram_url}/refresh_access_token", params=params)

    assert error(refresh(ada.token)) == "100"
    assert error(refresh(ada.graph.truth.token(ada.account, long=False))) == "100"
    ada.graph.clock.advance(DAY + 1)
    # An answer that is lost is asked for again.
    first, second = (refresh(ada.token).json() for _ in range(2))
    assert first["expires_in"] == second["expires_in"] == 60 * 86400
    ada.graph.clock.advance(59 * DAY)
    assert error(refresh(ada.token)) == "190/463"
    ada.token = first["access_token"]
    assert ada.get("/me").status_code == 200


def test_the_facebook_login_exchanges_its_own(graph: Graph) -> None:
    ada, sam = Caller(graph, FACEBOOK), Caller(graph)
    path = f"{graph.facebook_url}/v26.0/oauth/access_token"
    params = SECRET | {"grant_type": "fb_exchange_token", "client_id": "app"}
    short = graph.truth.token(ada.account, long=False)
    answer = ada.client.get(path, params=params | {"fb_exchange_token": short})
    ada.token = answer.json()["access_token"]
    assert ada.get("/me").status_code == 200
    assert error(ada.client.get(path, params=params | {"fb_exchange_token": sam.token})) == "190"
    wrong = {"grant_type": "ig_refresh_token", "access_token": ada.token}
    graph.clock.advance(2 * DAY)
    assert error(ada.client.get(f"{graph.facebook_url}/refresh_access_token", params=wrong)) == "100"


# Files that are fetched and looked into


@pytest.mark.parametrize(
    ("what", "name"),
    [
        (picture(1080, 1350), ""),
        (picture(1080, 566), ""),
        (picture(320, 320), ""),
        (picture(1080, 1080, kind="PNG"), "36001/2207005"),
        (picture()[:300], "36001/2207005"),
        (picture(mode="CMYK", colour="black"), "36001/2207005"),
        (picture() + bytes(8 * 2**20), "36000/2207004"),
        (picture(1441, 1441), "36000/2207004"),
        (picture(319, 319), "36003/2207009"),
        (picture(1080, 1400), "36003/2207009"),
        (picture(1080, 540), "36003/2207009"),
        (404, "9004/2207052"),
        (403, "9004/2207052"),
        (5, "-2/2207003"),
    ],
)
def test_an_image_is_fetched_and_looked_into(looking: tuple[Caller, Shelf], what: bytes | float, name: str) -> None:
    ada, shelf = looking
    answer = ada.create(image_url=shelf.put("a.jpg", what))
    assert shelf.asked == ["a.jpg"]
    assert (error(answer) if answer.status_code != 200 else "") == name


def test_an_address_where_nobody_listens_is_not_fetched(looking: tuple[Caller, Shelf]) -> None:
    assert error(looking[0].create(image_url="http://127.0.0.1:9/a.jpg")) == "9004/2207052"
    assert error(looking[0].create(image_url="a.jpg")) == "9004/2207052"


@pytest.mark.parametrize(("space", "taken"), [("sRGB", 200), ("LAB", 400)])
def test_another_colour_space_is_refused(
    looking: tuple[Caller, Shelf], space: Literal["sRGB", "LAB"], taken: int
) -> None:
    ada, shelf = looking
    buffer = BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(space))
    Image.new("RGB", (500, 500)).save(buffer, "JPEG", icc_profile=profile.tobytes())
    assert ada.create(image_url=shelf.put("a.jpg", buffer.getvalue())).status_code == taken


def test_a_story_may_be_tall(looking: tuple[Caller, Shelf]) -> None:
    ada, shelf = looking
    assert ada.made(image_url=shelf.put("a.jpg", picture(1080, 1920)), media_type="STORIES")


def test_what_is_shown_looks_the_same_and_is_of_other_bytes(looking: tuple[Caller, Shelf]) -> None:
    ada, shelf = looking
    media = ada.posted(image_url=shelf.put("a.jpg", picture(600, 600, "crimson")))
    url = ada.get(f"/{media}", fields="media_url").json()["media_url"]
    data = ada.client.get(url).content
    assert data != picture(600, 600, "crimson")
    red, green, blue = Image.open(BytesIO(data)).getpixel((300, 300))  # type: ignore[misc]
    assert abs(red - 220) + abs(green - 20) + abs(blue - 60) < 12
    assert ada.client.get(f"{ada.graph.url}/cdn/none.jpg").status_code == 404


@pytest.mark.parametrize(
    ("what", "failure"),
    [
        (clip(), ""),
        (clip(video="hvc1", frames=60), ""),
        (clip(moov_first=False), "2207026"),
        (clip(video="mp4v"), "2207026"),
        (clip(sound="opus"), "2207026"),
        (clip(frames=22), "2207026"),
        (clip(frames=61), "2207026"),
        (clip(seconds=2.9), "2207026"),
        (clip(seconds=15 * 60 + 1), "2207026"),
        (clip()[:200], "2207026"),
        (b"no video", "2207026"),
        (404, "2207052"),
        (5, "2207003"),
    ],
)
def test_a_video_is_fetched_while_it_is_in_progress(
    looking: tuple[Caller, Shelf], what: bytes | float, failure: str
) -> None:
    ada, shelf = looking
    name = ada.made(video_url=shelf.put("a.mp4", what), media_type="REELS")
    row = _ended(ada, name)
    assert row["status_code"] == ("ERROR" if failure else "FINISHED")
    assert failure in row["status"]
    if failure:
        assert error(ada.publish(name)).endswith(failure)


def _ended(ada: Caller, name: str) -> dict[str, Any]:
    """A container's row when it is no longer in progress."""
    for _ in range(200):
        row: dict[str, Any] = ada.get(f"/{name}", fields="status_code,status").json()
        if row["status_code"] != "IN_PROGRESS":
            return row
        time.sleep(0.02)
    raise AssertionError("it stayed in progress")


def test_a_cover_wins_over_an_offset_which_lies_within_the_video(looking: tuple[Caller, Shelf]) -> None:
    ada, shelf = looking
    video, cover = shelf.put("a.mp4", clip(seconds=5)), shelf.put("c.jpg", picture())
    late = ada.made(video_url=video, media_type="REELS", thumb_offset="5000")
    assert "2207057" in _ended(ada, late)["status"]
    both = ada.made(video_url=video, media_type="REELS", thumb_offset="5000", cover_url=cover)
    assert _ended(ada, both)["status_code"] == "FINISHED"
    media = ada.publish(both).json()["id"]
    assert ada.get(f"/{media}", fields="thumbnail_url").json()["thumbnail_url"].endswith(".jpg")
    wrong = shelf.put("d.jpg", b"nothing")
    assert error(ada.create(video_url=video, media_type="REELS", cover_url=wrong)) == "36001/2207005"


# Resumable upload


def test_a_video_is_uploaded_and_posted(looking: tuple[Caller, Shelf]) -> None:
    ada, _ = looking
    name = ada.made(upload_type="resumable", media_type="REELS", caption="Up")
    assert ada.status(name) == "IN_PROGRESS"
    assert ada.upload(name, clip()).json()["success"] is True
    assert _ended(ada, name)["status_code"] == "FINISHED"
    phase = ada.get(f"/{name}", fields="video_status").json()["video_status"]["uploading_phase"]
    assert phase == {"status": "complete", "bytes_transferred": len(clip())}
    media = ada.publish(name).json()["id"]
    assert ada.client.get(ada.get(f"/{media}", fields="media_url").json()["media_url"]).content == clip()
    bad = ada.made(upload_type="resumable", media_type="REELS")
    ada.upload(bad, b"no video")
    assert "2207026" in _ended(ada, bad)["status"]


def test_an_upload_goes_on_where_it_broke_off(ada: Caller) -> None:
    data = clip()
    name = ada.made(upload_type="resumable", media_type="REELS")
    assert ada.upload(name, data[:300], size=len(data)).status_code == 200
    assert ada.status(name) == "IN_PROGRESS"
    for offset in (0, 299, 301):
        assert error(ada.upload(name, data[offset:], offset, len(data))) == "-1/2207053"
    row = ada.get(f"/{name}", fields="video_status").json()
    assert row["video_status"]["uploading_phase"] == {"status": "in_progress", "bytes_transferred": 300}
    assert error(ada.upload(name, data, 300, len(data))) == "-1/2207053"
    assert ada.upload(name, data[300:], 300, len(data)).status_code == 200
    ada.graph.clock.advance(2 * MINUTE)
    assert ada.status(name) == "FINISHED"
    assert ada.graph.truth.files[ada.graph.truth.containers[name].media] == data


def test_an_upload_needs_its_headers_and_its_container(ada: Caller) -> None:
    name = ada.made(upload_type="resumable", media_type="REELS")
    assert error(ada.upload(name, b"1", offset=-1)) == "100"
    assert error(ada.upload(name, b"1", file_size="")) == "100"
    assert error(ada.upload(name, b"1", Authorization="")) == "190"
    assert error(ada.upload(name, b"1", Authorization=f"Bearer {ada.token}")) == "190"
    assert error(ada.upload(ada.made(image_url=AT), b"1")) == "24/2207006"
    assert error(ada.upload("123", b"1")) == "24/2207006"
    ada.graph.clock.advance(DAY)
    assert error(ada.upload(name, b"1")) == "-2/2207020"
