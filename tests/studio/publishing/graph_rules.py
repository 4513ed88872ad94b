"""Which parameters a container may have, by its kind, as in the table of the facts page."""

import json
import re
from typing import Any

from tests.studio.publishing.graph_errors import Refusal

CAPTION, HASHTAGS, MENTIONS, ALT_TEXT, COLLABORATORS, USER_TAGS = 2200, 30, 20, 1000, 3, 20
_HASHTAG, _MENTION = re.compile(r"#\w+"), re.compile(r"(?<![\w.])@[\w.]+")
_ALWAYS = {"access_token", "media_type", "is_ai_generated"}
_VIDEO = {"video_url", "upload_type"}
# Beside what a kind always has; a child of video and one of an image differ.
_ALLOWED = {
    "image": {"image_url", "caption", "alt_text", "user_tags", "collaborators"},
    "reel": {"caption", "cover_url", "thumb_offset", "user_tags", "collaborators"} | _VIDEO,
    "story": {"image_url", "user_tags"} | _VIDEO,
    "carousel": {"caption", "children", "collaborators"},
    "child image": {"image_url", "is_carousel_item", "alt_text", "user_tags"},
    "child video": {"is_carousel_item", "cover_url", "thumb_offset", "user_tags"} | _VIDEO,
}
_KINDS = {"": "image", "IMAGE": "image", "REELS": "reel", "STORIES": "story", "CAROUSEL": "carousel"}


def kind_of(params: dict[str, str]) -> str:
    """image, reel, story, carousel or child, if these parameters are those of one."""
    params = {name: value for name, value in params.items() if value != ""}
    wanted = params.get("media_type", "")
    child = _flag(params, "is_carousel_item")
    video = bool(_VIDEO & params.keys())
    kind = _child(wanted, video) if child else _KINDS.get(wanted, "")
    if not kind:
        raise Refusal("2207023", f"Unknown media type {wanted}")
    _check_names(kind, params)
    _check_source(kind, params, video)
    _check_text(params)
    _check_people(params)
    _check_cover(params)
    _flag(params, "is_ai_generated")
    return kind.partition(" ")[0]


def children_of(params: dict[str, str]) -> list[str]:
    """The ids of a carousel's parts: a list in JSON, or with commas."""
    text = params.get("children", "")
    found = [str(each) for each in _listed("children", text)] if text.startswith("[") else text.split(",")
    children = [each.strip() for each in found if each.strip()]
    if not 2 <= len(children) <= 10:
        raise Refusal("2207028", f"A carousel has 2 to 10 children, not {len(children)}")
    if len(set(children)) < len(children):
        raise Refusal("2207028", "A carousel has each of its children once")
    return children


def _child(wanted: str, video: bool) -> str:
    if wanted not in {"", "VIDEO"}:
        raise Refusal("100", f"A child of a carousel is not of media_type {wanted}")
    if video != (wanted == "VIDEO"):
        raise Refusal("100", "A child's media_type is VIDEO for a video, and omitted for an image")
    return "child video" if video else "child image"


def _check_names(kind: str, params: dict[str, str]) -> None:
    for name in params:
        if name not in _ALLOWED[kind] | _ALWAYS and not (name == "is_carousel_item" and params[name] == "false"):
            raise Refusal("100", f"The parameter {name} is not allowed for the kind {kind}")
    if kind.startswith("child") and "is_ai_generated" in params:
        raise Refusal("100", "The parameter is_ai_generated is not allowed for a carousel item")


def _check_source(kind: str, params: dict[str, str], video: bool) -> None:
    if kind == "carousel":
        return
    if params.get("upload_type", "resumable") != "resumable":
        raise Refusal("100", "The parameter upload_type is resumable or omitted")
    given = len({"image_url", *_VIDEO} & params.keys())
    if given != 1:
        raise Refusal("100", "Exactly one of image_url, video_url and upload_type is required")


def _check_text(params: dict[str, str]) -> None:
    caption = params.get("caption", "")
    if len(caption) > CAPTION:
        raise Refusal("2207010")
    if len(_HASHTAG.findall(caption)) > HASHTAGS:
        raise Refusal("2207010", f"A caption has at most {HASHTAGS} hashtags")
    if len(_MENTION.findall(caption)) > MENTIONS:
        raise Refusal("2207010", f"A caption has at most {MENTIONS} mentions")
    if len(params.get("alt_text", "")) > ALT_TEXT:
        raise Refusal("100", f"The parameter alt_text has at most {ALT_TEXT} characters")


def _check_people(params: dict[str, str]) -> None:
    if "collaborators" in params:
        names = _listed("collaborators", params["collaborators"])
        if len(names) > COLLABORATORS:
            raise Refusal("100", f"A post has at most {COLLABORATORS} collaborators")
    tags = _listed("user_tags", params.get("user_tags", "[]"))
    if len(tags) > USER_TAGS:
        raise Refusal("2207040")
    for tag in tags:
        if not (
            isinstance(tag, dict) and isinstance(tag.get("username"), str) and tag.keys() <= {"username", "x", "y"}
        ):
            raise Refusal("100", "The parameter user_tags is a list of username, x and y")
        if not all(isinstance(tag.get(axis, 0), int | float) and 0 <= tag.get(axis, 0) <= 1 for axis in "xy"):
            raise Refusal("100", "The x and y of user_tags lie between 0 and 1")
        if "image_url" in params and params.get("media_type") != "STORIES" and not {"x", "y"} <= tag.keys():
            raise Refusal("100", "The user_tags of an image say where: x and y")


def _check_cover(params: dict[str, str]) -> None:
    """A cover wins over an offset, which then is not looked at."""
    offset = params.get("thumb_offset")
    if offset is not None and "cover_url" not in params and not offset.isdecimal():
        raise Refusal("2207057")


def _listed(name: str, text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except ValueError:
        raise Refusal("100", f"The parameter {name} is not a list") from None
    if not isinstance(found, list):
        raise Refusal("100", f"The parameter {name} is not a list")
    return found


def _flag(params: dict[str, str], name: str) -> bool:
    value = params.get(name, "false").lower()
    if value not in {"true", "false"}:
        raise Refusal("100", f"The parameter {name} is true or false")
    return value == "true"
