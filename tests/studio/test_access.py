"""Every address, as everybody: what each may do is written here once, and nothing is left out."""

import json
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.studio.conftest import Cast
from tests.studio.crowd import routes
from tests.wheel.cast import picture
from zoetrope.media.hashing import hash_bytes
from zoetrope.studio.api import api
from zoetrope.studio.comparing.models import Comparison
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.library.models import Kept
from zoetrope.studio.loras.models import Lora, Origin
from zoetrope.studio.making.models import Made, Order
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.pipelines import keeping, runs
from zoetrope.studio.planning import clusters, pillars
from zoetrope.studio.planning.models import Grouping, Idea, Proposal
from zoetrope.studio.publishing import desk
from zoetrope.studio.publishing.campaigns import briefs
from zoetrope.studio.servers.models import Server
from zoetrope.studio.spaces.models import ApiToken, Membership, OneTimeLink, Role
from zoetrope.studio.spaces.people import invitations_of, invite, open_space
from zoetrope.studio.spaces.work import scope_of
from zoetrope.wheel.intake import Found, take_in

WHO = ("olga", "rui", "vic", "sam", "nobody")
# For each name of an address and method, what olga, rui, vic, sam and a visitor without a login get.
# 302 for a visitor is the way to the login page; 404 for sam, who is not to know that there is anything.
PAGES = {
    ("home", "GET"): (302, 302, 302, 302, 302),
    ("login", "GET"): (302, 302, 302, 302, 200),
    ("space-new", "GET"): (200, 200, 200, 200, 302),
    ("members", "GET"): (200, 200, 200, 404, 302),
    ("invite", "GET"): (302, 403, 403, 404, 302),
    ("invite", "POST"): (200, 403, 403, 404, 302),
    ("invitation-end", "POST"): (302, 403, 403, 404, 302),
    ("member", "POST"): (302, 403, 403, 404, 302),
    ("token-new", "GET"): (302, 302, 302, 404, 302),
    ("token-new", "POST"): (302, 302, 302, 404, 302),
    ("token-end", "POST"): (302, 404, 404, 404, 302),
    ("space", "GET"): (200, 200, 200, 404, 302),
    ("persona-new", "GET"): (200, 403, 403, 404, 302),
    ("persona-adopt", "POST"): (400, 403, 403, 404, 302),
    ("persona", "GET"): (200, 200, 200, 404, 302),
    ("persona-settings", "GET"): (200, 403, 403, 404, 302),
    ("persona-take-out", "GET"): (200, 403, 403, 404, 302),
    ("persona-take-out", "POST"): (302, 403, 403, 404, 302),
    ("persona-consent", "GET"): (404, 403, 403, 404, 302),
    ("work", "GET"): (200, 200, 200, 404, 302),
    ("work-live", "GET"): (200, 200, 200, 404, 302),
    ("job-page", "GET"): (404, 404, 404, 404, 302),
    ("job", "POST"): (404, 403, 403, 404, 302),
    ("turns", "GET"): (200, 200, 200, 404, 302),
    ("turns", "POST"): (400, 403, 403, 404, 302),
    ("sources", "GET"): (200, 200, 200, 404, 302),
    ("sources", "POST"): (400, 400, 403, 404, 302),
    ("captions", "GET"): (200, 200, 200, 404, 302),
    ("captions", "POST"): (404, 404, 403, 404, 302),
    ("review", "GET"): (200, 200, 200, 404, 302),
    ("decide", "POST"): (400, 400, 403, 404, 302),
    ("undo", "POST"): (400, 400, 403, 404, 302),
    ("turn-sample", "GET"): (404, 404, 404, 404, 302),
    ("card", "GET"): (200, 200, 200, 404, 302),
    ("card-picture", "GET"): (404, 404, 404, 404, 302),
    ("exports", "GET"): (200, 200, 200, 404, 302),
    ("export", "GET"): (404, 404, 404, 404, 302),
    ("face", "GET"): (302, 302, 302, 404, 302),
    ("picture", "GET"): (404, 404, 404, 404, 302),
    ("made-picture", "GET"): (404, 404, 404, 404, 302),
    ("made-clip", "GET"): (404, 404, 404, 404, 302),
    ("loras", "GET"): (200, 200, 200, 404, 302),
    ("lora-add", "GET"): (200, 403, 403, 404, 302),
    ("lora-add", "POST"): (422, 403, 403, 404, 302),
    ("lora", "GET"): (404, 404, 404, 404, 302),
    ("lora-act", "POST"): (404, 403, 403, 404, 302),
    ("lora-card", "GET"): (404, 404, 404, 404, 302),
    ("lora-file", "GET"): (404, 404, 404, 404, 302),
    ("persona-loras", "GET"): (200, 200, 200, 404, 302),
    ("persona-loras", "POST"): (404, 403, 403, 404, 302),
    ("try", "GET"): (200, 200, 200, 404, 302),
    ("try", "POST"): (422, 422, 403, 404, 302),
    ("try-persona", "GET"): (200, 200, 200, 404, 302),
    ("try-persona", "POST"): (422, 422, 403, 404, 302),
    ("tried", "GET"): (404, 404, 404, 404, 302),
    ("pipelines", "GET"): (200, 200, 200, 404, 302),
    ("pipeline-new", "POST"): (400, 403, 403, 404, 302),
    ("pipeline", "GET"): (200, 200, 200, 404, 302),
    ("pipeline-steps", "GET"): (200, 403, 403, 404, 302),
    ("pipeline-steps", "POST"): (422, 403, 403, 404, 302),
    ("pipeline-act", "POST"): (400, 403, 403, 404, 302),
    ("run-new", "POST"): (400, 400, 403, 404, 302),
    ("runs", "GET"): (200, 200, 200, 404, 302),
    ("run", "GET"): (200, 200, 200, 404, 302),
    ("run-preview", "GET"): (404, 404, 404, 404, 302),
    ("run-act", "POST"): (400, 400, 403, 404, 302),
    # Nothing is drawn yet.
    ("vote", "GET"): (404, 404, 404, 404, 302),
    ("vote-answer", "POST"): (400, 400, 403, 404, 302),
    ("vote-anywhere", "GET"): (302, 302, 302, 404, 302),
    ("plan", "GET"): (200, 200, 200, 404, 302),
    # No picture is missing that is not said which.
    ("plan-make", "POST"): (400, 400, 403, 404, 302),
    ("pillars", "GET"): (200, 200, 200, 404, 302),
    ("pillars", "POST"): (422, 403, 403, 404, 302),
    ("rhythm", "POST"): (422, 403, 403, 404, 302),
    ("pillar", "GET"): (200, 403, 403, 404, 302),
    ("pillar", "POST"): (422, 403, 403, 404, 302),
    ("pillar-act", "POST"): (400, 403, 403, 404, 302),
    ("clusters", "GET"): (200, 200, 200, 404, 302),
    ("clusters", "POST"): (422, 422, 403, 404, 302),
    ("proposed", "GET"): (200, 200, 200, 404, 302),
    ("proposed", "POST"): (400, 400, 403, 404, 302),
    ("cluster", "GET"): (200, 200, 200, 404, 302),
    ("cluster-act", "POST"): (400, 400, 403, 404, 302),
    ("ideas", "GET"): (200, 200, 200, 404, 302),
    # Rui has asked for some when Olga comes.
    ("ideas", "POST"): (400, 302, 403, 404, 302),
    ("idea-act", "POST"): (400, 400, 403, 404, 302),
    ("channels", "GET"): (200, 200, 200, 404, 302),
    ("channels", "POST"): (422, 403, 403, 404, 302),
    ("channel-login", "POST"): (400, 403, 403, 404, 302),
    ("outbox", "GET"): (200, 200, 200, 404, 302),
    ("outbox-download", "GET"): (404, 404, 404, 404, 302),
    ("ledger", "GET"): (200, 200, 200, 404, 302),
    ("ledger-table", "GET"): (200, 200, 200, 404, 302),
    ("channel-used", "GET"): (200, 200, 200, 404, 302),
    ("channel", "GET"): (200, 200, 200, 404, 302),
    ("channel", "POST"): (422, 403, 403, 404, 302),
    ("channel-act", "POST"): (400, 403, 403, 404, 302),
    ("channel-logged-in", "GET"): (400, 400, 400, 400, 302),
    ("calendar", "GET"): (200, 200, 200, 404, 302),
    ("calendar-add", "POST"): (400, 400, 403, 404, 302),
    ("calendar-move", "POST"): (404, 404, 403, 404, 302),
    ("calendar-undo", "POST"): (400, 400, 403, 404, 302),
    ("calendar-plan", "POST"): (302, 302, 403, 404, 302),
    ("calendar-write", "POST"): (400, 400, 403, 404, 302),
    ("calendar-pictures", "GET"): (200, 200, 200, 404, 302),
    ("posts-table", "GET"): (200, 200, 200, 404, 302),
    ("posts-table", "POST"): (422, 422, 403, 404, 302),
    ("posts-export", "GET"): (200, 200, 200, 404, 302),
    ("feed-renew", "POST"): (302, 403, 403, 404, 302),
    ("slots", "GET"): (200, 200, 200, 404, 302),
    ("slots", "POST"): (422, 403, 403, 404, 302),
    ("slots-act", "POST"): (400, 403, 403, 404, 302),
    ("campaigns", "GET"): (200, 200, 200, 404, 302),
    ("campaigns", "POST"): (422, 422, 403, 404, 302),
    ("campaign", "GET"): (200, 200, 200, 404, 302),
    ("campaign", "POST"): (422, 422, 403, 404, 302),
    ("campaign-act", "POST"): (400, 400, 403, 404, 302),
    # Whoever was given its address may read it; this is none.
    ("feed", "GET"): (404, 404, 404, 404, 404),
    ("outgoing", "GET"): (404, 404, 404, 404, 404),
    ("post", "GET"): (200, 200, 200, 404, 302),
    ("post", "POST"): (422, 422, 403, 404, 302),
    ("post-act", "POST"): (400, 400, 403, 404, 302),
    ("post-captions", "POST"): (200, 200, 403, 404, 302),
    ("post-preview", "GET"): (200, 200, 200, 404, 302),
    ("post-picture", "GET"): (404, 404, 404, 404, 302),
    ("writer", "GET"): (200, 200, 200, 404, 302),
    ("writer", "POST"): (422, 403, 403, 404, 302),
    ("writer-try", "POST"): (422, 422, 403, 404, 302),
    ("insights", "GET"): (200, 200, 200, 404, 302),
    ("learnings", "GET"): (200, 200, 200, 404, 302),
    ("learning-act", "POST"): (404, 403, 403, 404, 302),
    ("training", "GET"): (200, 200, 200, 404, 302),
    ("training", "POST"): (302, 302, 403, 404, 302),
    ("training-act", "POST"): (404, 404, 403, 404, 302),
    ("post-numbers", "GET"): (200, 200, 200, 404, 302),
    ("post-numbers", "POST"): (422, 422, 403, 404, 302),
    ("library", "GET"): (200, 200, 200, 404, 302),
    ("library", "POST"): (400, 400, 403, 404, 302),
    ("kept", "GET"): (200, 200, 200, 404, 302),
    ("kept-act", "POST"): (400, 400, 403, 404, 302),
    ("kept-posts", "GET"): (200, 200, 200, 404, 302),
    ("kept-posts", "POST"): (400, 400, 403, 404, 302),
    ("kept-file", "GET"): (404, 404, 404, 404, 302),
    ("comparisons", "GET"): (200, 200, 200, 404, 302),
    ("comparisons", "POST"): (422, 422, 403, 404, 302),
    ("comparison", "GET"): (200, 200, 200, 404, 302),
    ("judge", "GET"): (200, 200, 200, 404, 302),
    ("judge-answer", "POST"): (400, 400, 403, 404, 302),
    ("servers", "GET"): (200, 200, 200, 404, 302),
    ("servers", "POST"): (422, 403, 403, 404, 302),
    ("server", "GET"): (200, 200, 200, 404, 302),
    ("server-act", "POST"): (400, 403, 403, 404, 302),
}
# The same for the API, whose visitors without a login are told 401; with what each is sent, bytes being an upload.
NEW = {"name": "mia", "title": "Mia", "kind": "drawn", "base": "nano-flux", "consent": "fictional"}
LORA = {"name": "mine", "type": "character", "base": "nano-flux"}
BRIEF = {"name": "Autumn", "about": "Scarves", "starts": "2027-01-01", "ends": "2027-01-09", "posts": 2}
PIPELINE = {"name": "Mine", "steps": [{"name": "Pictures"}]}
# Where nobody listens.
NOBODY = "http://127.0.0.1:9"
MEMBERS, REVIEWERS, OWNERS = (200, 200, 200, 404, 401), (200, 200, 403, 404, 401), (200, 403, 403, 404, 401)
ADA = "/spaces/{space}/personas/{persona}"
CALLS: dict[tuple[str, str], tuple[dict[str, Any] | None, tuple[int, ...]]] = {
    ("GET", f"{ADA}/comparisons"): (None, MEMBERS),
    # A stranger's LoRA.
    ("POST", f"{ADA}/comparisons"): ({"loras": [None, 999]}, (404, 404, 403, 404, 401)),
    ("GET", "/spaces/{space}/comparisons/{comparison}"): (None, MEMBERS),
    ("GET", "/spaces/{space}/comparisons/{comparison}/pair"): (None, MEMBERS),
    ("POST", "/spaces/{space}/comparisons/{comparison}/pair"): ({"do": "undo"}, (400, 400, 403, 404, 401)),
    ("GET", "/spaces/{space}/servers"): (None, MEMBERS),
    ("POST", "/spaces/{space}/servers"): ({"url": "http://127.0.0.1:10"}, (201, 403, 403, 404, 401)),
    ("GET", "/spaces/{space}/servers/{server}"): (None, MEMBERS),
    ("POST", "/spaces/{space}/servers/{server}"): ({"do": "pause"}, OWNERS),
    ("DELETE", "/spaces/{space}/servers/{server}"): (None, (204, 403, 403, 404, 401)),
    ("GET", "/spaces"): (None, (200, 200, 200, 200, 401)),
    ("POST", "/spaces"): ({"name": "Another"}, (201, 201, 201, 201, 401)),
    ("GET", "/spaces/{space}/members"): (None, MEMBERS),
    ("PATCH", "/spaces/{space}/members/{user}"): ({"role": "viewer"}, OWNERS),
    # Vic leaves by herself, so that Olga does not find her any more.
    ("DELETE", "/spaces/{space}/members/{user}"): (None, (404, 403, 204, 404, 401)),
    ("GET", "/spaces/{space}/invitations"): (None, OWNERS),
    ("POST", "/spaces/{space}/invitations"): ({"role": "viewer"}, (201, 403, 403, 404, 401)),
    ("DELETE", "/spaces/{space}/invitations/{invitation}"): (None, (204, 403, 403, 404, 401)),
    ("GET", "/spaces/{space}/tokens"): (None, MEMBERS),
    ("POST", "/spaces/{space}/tokens"): ({"name": "script"}, (201, 201, 201, 404, 401)),
    ("DELETE", "/spaces/{space}/tokens/{token}"): (None, (204, 404, 404, 404, 401)),
    ("GET", "/spaces/{space}/jobs"): (None, MEMBERS),
    ("GET", "/spaces/{space}/jobs/changes"): (None, MEMBERS),
    ("GET", "/spaces/{space}/jobs/{job}"): (None, MEMBERS),
    ("POST", "/spaces/{space}/jobs/{job}/cancel"): (None, OWNERS),
    ("POST", "/spaces/{space}/jobs/{job}/resubmit"): (None, (400, 403, 403, 404, 401)),
    ("GET", "/spaces/{space}/strays"): (None, OWNERS),
    ("POST", "/spaces/{space}/strays"): ({"folder": "nowhere"}, (400, 403, 403, 404, 401)),
    ("GET", "/spaces/{space}/personas"): (None, MEMBERS),
    ("POST", "/spaces/{space}/personas"): (NEW, (201, 403, 403, 404, 401)),
    ("POST", "/spaces/{space}/granted-personas"): (
        NEW | {"consent": "granted", "document": b"signed"},
        (201, 403, 403, 404, 401),
    ),
    ("GET", ADA): (None, MEMBERS),
    ("PATCH", ADA): ({"about": "Lives by the sea"}, OWNERS),
    # A turn of hers waits.
    ("DELETE", ADA): (None, (400, 403, 403, 404, 401)),
    ("GET", f"{ADA}/consent"): (None, (404, 403, 403, 404, 401)),
    ("GET", f"{ADA}/standing"): (None, MEMBERS),
    ("GET", f"{ADA}/sources"): (None, MEMBERS),
    ("POST", f"{ADA}/sources"): ({"files": picture(9)}, (201, 201, 403, 404, 401)),
    ("GET", f"{ADA}/pictures/{{sha256}}"): (None, MEMBERS),
    ("GET", f"{ADA}/captions"): (None, MEMBERS),
    ("PUT", f"{ADA}/captions/{{sha256}}"): ({"text": "ada"}, REVIEWERS),
    ("GET", f"{ADA}/review"): (None, MEMBERS),
    ("POST", f"{ADA}/review"): ({"do": "keep", "pictures": ["{sha256}"]}, REVIEWERS),
    ("POST", f"{ADA}/undo"): ({}, REVIEWERS),
    ("GET", f"{ADA}/turns"): (None, MEMBERS),
    ("POST", f"{ADA}/turns"): ({}, (400, 403, 403, 404, 401)),
    ("POST", f"{ADA}/turns/{{number}}/checkpoints"): (None, (400, 403, 403, 404, 401)),
    ("GET", f"{ADA}/turns/last"): (None, MEMBERS),
    ("GET", f"{ADA}/turns/{{number}}/samples/{{name}}"): (None, (404, 404, 404, 404, 401)),
    ("GET", f"{ADA}/cards"): (None, MEMBERS),
    ("GET", f"{ADA}/cards/{{number}}/{{scene}}"): (None, (404, 404, 404, 404, 401)),
    ("GET", f"{ADA}/exports"): (None, MEMBERS),
    ("GET", f"{ADA}/exports/{{name}}"): (None, (404, 404, 404, 404, 401)),
    ("GET", "/spaces/{space}/made"): (None, MEMBERS),
    ("GET", "/spaces/{space}/made/{sha256}"): (None, (404, 404, 404, 404, 401)),
    ("POST", "/spaces/{space}/orders"): ({"prompt": "ada", "model": "nano-flux"}, (201, 201, 403, 404, 401)),
    ("GET", "/spaces/{space}/orders/{order}"): (None, MEMBERS),
    ("GET", "/spaces/{space}/loras"): (None, MEMBERS),
    ("POST", "/spaces/{space}/loras"): (LORA | {"lora": b"no weights"}, (400, 403, 403, 404, 401)),
    ("GET", "/spaces/{space}/loras/{lora}"): (None, MEMBERS),
    ("GET", "/spaces/{space}/loras/{lora}/files/{kind}"): (None, (404, 404, 404, 404, 401)),
    ("DELETE", "/spaces/{space}/loras/{lora}"): (None, OWNERS),
    ("POST", "/spaces/{space}/loras/{lora}/restore"): (None, OWNERS),
    ("GET", f"{ADA}/loras"): (None, MEMBERS),
    ("PUT", f"{ADA}/loras/{{lora}}"): ({"weight": 0.5}, OWNERS),
    ("DELETE", f"{ADA}/loras/{{lora}}"): (None, (204, 403, 403, 404, 401)),
    ("GET", "/spaces/{space}/pipelines"): (None, MEMBERS),
    ("POST", "/spaces/{space}/pipelines"): (PIPELINE, (201, 403, 403, 404, 401)),
    ("GET", "/spaces/{space}/pipelines/{pipeline}"): (None, MEMBERS),
    ("PUT", "/spaces/{space}/pipelines/{pipeline}"): (PIPELINE, OWNERS),
    ("POST", "/spaces/{space}/pipelines/{pipeline}/copy"): (None, (201, 403, 403, 404, 401)),
    ("DELETE", "/spaces/{space}/pipelines/{pipeline}"): (None, OWNERS),
    ("POST", "/spaces/{space}/pipelines/{pipeline}/restore"): (None, OWNERS),
    ("GET", "/spaces/{space}/runs"): (None, MEMBERS),
    ("POST", "/spaces/{space}/runs"): ({"pipeline": 10**9, "persona": "ada"}, (404, 404, 403, 404, 401)),
    ("GET", "/spaces/{space}/runs/{run}"): (None, MEMBERS),
    # Rui has stopped it when Olga comes.
    ("POST", "/spaces/{space}/runs/{run}"): ({"do": "stop"}, (400, 200, 403, 404, 401)),
    ("GET", "/spaces/{space}/runs/{run}/vote"): (None, (404, 404, 404, 404, 401)),
    ("POST", "/spaces/{space}/runs/{run}/vote"): ({"do": "undo"}, (404, 404, 403, 404, 401)),
    ("GET", f"{ADA}/plan"): (None, MEMBERS),
    ("GET", f"{ADA}/rhythm"): (None, MEMBERS),
    ("PUT", f"{ADA}/rhythm"): ({"zone": "Europe/Rome"}, OWNERS),
    ("GET", f"{ADA}/pillars"): (None, MEMBERS),
    ("POST", f"{ADA}/pillars"): ({"name": "Food", "weight": 10}, (201, 403, 403, 404, 401)),
    ("PUT", f"{ADA}/pillars/{{pillar}}"): ({"name": "Walks", "weight": 10}, OWNERS),
    ("POST", f"{ADA}/pillars/{{pillar}}"): ({"do": "retire"}, OWNERS),
    # A stranger's pipeline.
    ("POST", f"{ADA}/pillars/{{pillar}}/runs"): ({"pipeline": 10**9}, (400, 400, 403, 404, 401)),
    ("GET", f"{ADA}/clusters"): (None, MEMBERS),
    # Rui has made one of that name when Olga comes.
    ("POST", f"{ADA}/clusters"): ({"name": "Sea"}, (400, 201, 403, 404, 401)),
    ("PUT", f"{ADA}/clusters/{{cluster}}"): ({"name": "Rain"}, REVIEWERS),
    ("DELETE", f"{ADA}/clusters/{{cluster}}"): (None, REVIEWERS),
    ("POST", f"{ADA}/clusters/{{cluster}}/restore"): (None, REVIEWERS),
    ("GET", f"{ADA}/clusters/{{cluster}}/pictures"): (None, MEMBERS),
    ("POST", f"{ADA}/clusters/{{cluster}}/pictures"): ({"do": "put", "kept": [1]}, REVIEWERS),
    ("GET", f"{ADA}/groups"): (None, MEMBERS),
    # There are too few pictures.
    ("POST", f"{ADA}/groups"): ({}, (400, 400, 403, 404, 401)),
    # Rui has taken it when Olga comes.
    ("POST", f"{ADA}/groups/{{proposal}}"): ({"name": "Coast"}, (400, 201, 403, 404, 401)),
    ("DELETE", f"{ADA}/groups"): (None, REVIEWERS),
    ("GET", f"{ADA}/ideas"): (None, MEMBERS),
    ("POST", f"{ADA}/ideas"): (None, (400, 202, 403, 404, 401)),
    # Rui has rejected it when Olga comes.
    ("POST", f"{ADA}/ideas/{{idea}}"): ({"do": "reject"}, (400, 200, 403, 404, 401)),
    ("GET", f"{ADA}/channels"): (None, MEMBERS),
    ("GET", f"{ADA}/channels/{{channel}}"): (None, MEMBERS),
    ("GET", f"{ADA}/channels/{{channel}}/quota"): (None, MEMBERS),
    ("GET", f"{ADA}/outbox"): (None, MEMBERS),
    ("GET", f"{ADA}/outbox/{{post}}"): (None, (404, 404, 404, 404, 401)),
    ("GET", f"{ADA}/ledger"): (None, MEMBERS),
    # The account is asked, where nobody listens.
    ("POST", f"{ADA}/channels"): ({"token": "x" * 30, "account": "1"}, (400, 403, 403, 404, 401)),
    ("PATCH", f"{ADA}/channels/{{channel}}"): ({"name": "Mine"}, OWNERS),
    ("POST", f"{ADA}/channels/{{channel}}"): ({"do": "all-well"}, (400, 403, 403, 404, 401)),
    ("GET", "/spaces/{space}/writer"): (None, MEMBERS),
    ("PUT", "/spaces/{space}/writer"): ({"kind": "template"}, OWNERS),
    ("POST", f"{ADA}/writing"): ({}, REVIEWERS),
    ("GET", f"{ADA}/posts"): (None, MEMBERS),
    ("POST", f"{ADA}/posts"): ({}, (201, 201, 403, 404, 401)),
    ("POST", f"{ADA}/posts/plan"): ({}, (201, 201, 403, 404, 401)),
    ("POST", f"{ADA}/posts/captions"): ({}, (202, 202, 403, 404, 401)),
    ("GET", f"{ADA}/posts.csv"): (None, MEMBERS),
    # No table.
    ("POST", f"{ADA}/posts.csv"): ({"file": picture(9)}, (400, 400, 403, 404, 401)),
    # It was never taken in.
    ("DELETE", f"{ADA}/posts.csv/{{table}}"): (None, (400, 400, 403, 404, 401)),
    ("GET", f"{ADA}/posts/feed"): (None, OWNERS),
    ("POST", f"{ADA}/posts/feed"): (None, OWNERS),
    ("GET", f"{ADA}/slots"): (None, MEMBERS),
    ("PUT", f"{ADA}/slots"): ({"slots": [{"weekday": 0, "clock": "10:00"}]}, OWNERS),
    ("GET", f"{ADA}/campaigns"): (None, MEMBERS),
    ("POST", f"{ADA}/campaigns"): (BRIEF, (201, 201, 403, 404, 401)),
    ("GET", f"{ADA}/campaigns/{{campaign}}"): (None, MEMBERS),
    ("PUT", f"{ADA}/campaigns/{{campaign}}"): (BRIEF, REVIEWERS),
    # It has not ended.
    ("DELETE", f"{ADA}/campaigns/{{campaign}}"): (None, (400, 400, 403, 404, 401)),
    # A stranger's idea.
    ("POST", f"{ADA}/campaigns/{{campaign}}/ideas"): ({"do": "choose", "ideas": [10**9]}, (400, 400, 403, 404, 401)),
    ("POST", f"{ADA}/campaigns/{{campaign}}"): ({"do": "end"}, REVIEWERS),
    ("GET", "/spaces/{space}/posts/{post}"): (None, MEMBERS),
    ("PATCH", "/spaces/{space}/posts/{post}"): ({"caption": "Rain."}, REVIEWERS),
    # It is a draft, and has no picture.
    ("POST", "/spaces/{space}/posts/{post}"): ({"do": "schedule"}, (400, 403, 403, 404, 401)),
    ("POST", "/spaces/{space}/posts/{post}/captions"): ({}, REVIEWERS),
    ("GET", "/spaces/{space}/posts/{post}/numbers"): (None, MEMBERS),
    # It is not out yet.
    ("POST", "/spaces/{space}/posts/{post}/numbers"): ({"age": 24, "reach": 5}, (400, 400, 403, 404, 401)),
    ("DELETE", "/spaces/{space}/posts/{post}/numbers/{age}"): (None, (400, 400, 403, 404, 401)),
    # It was not thrown away.
    ("POST", "/spaces/{space}/posts/{post}/back"): (None, (400, 400, 403, 404, 401)),
    # Rui has thrown it away when Olga comes.
    ("DELETE", "/spaces/{space}/posts/{post}"): (None, (404, 204, 403, 404, 401)),
    ("GET", f"{ADA}/insights"): (None, MEMBERS),
    ("GET", f"{ADA}/insights/looks"): (None, MEMBERS),
    ("GET", f"{ADA}/insights/learnings"): (None, MEMBERS),
    ("POST", f"{ADA}/insights/learnings/{{learning}}"): ({"do": "approve"}, (404, 403, 403, 404, 401)),
    ("GET", f"{ADA}/insights/training"): (None, MEMBERS),
    ("POST", f"{ADA}/insights/training"): (None, (202, 202, 403, 404, 401)),
    ("POST", f"{ADA}/insights/training/{{proposal}}"): ({"do": "accept"}, (404, 404, 403, 404, 401)),
    ("GET", "/spaces/{space}/library"): (None, MEMBERS),
    ("POST", "/spaces/{space}/library"): ({"files": picture(9)}, (201, 201, 403, 404, 401)),
    ("GET", "/spaces/{space}/library/{kept}"): (None, MEMBERS),
    ("POST", "/spaces/{space}/library/{kept}"): ({"do": "aside"}, REVIEWERS),
    ("POST", "/spaces/{space}/library/{kept}/collections"): ({"name": "Best"}, REVIEWERS),
    ("DELETE", "/spaces/{space}/library/{kept}/collections/{collection}"): (None, REVIEWERS),
    ("GET", "/spaces/{space}/library/{kept}/file/{form}"): (None, (404, 404, 404, 404, 401)),
}
# What a token never does, whoever made it: it would open further doors.
IN_PERSON = {("POST", "/spaces"), ("POST", "/spaces/{space}/invitations"), ("POST", "/spaces/{space}/tokens")}
# Doors that stand open on purpose, or answer another method only.
OPEN = {"service-worker", "link", "logout"}


def names(patterns: "list[URLPattern | URLResolver]", within: str = "") -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            # What lies under the API's address, its own description tells.
            yield from () if str(each.pattern) == "api/" else names(each.url_patterns)
        elif each.name:
            yield each.name


def operations() -> set[tuple[str, str]]:
    """Every operation that the API describes, by its method and path."""
    paths = api.get_openapi_schema()["paths"]
    return {(method.upper(), path.removeprefix("/api")) for path, methods in paths.items() for method in methods}


def test_nothing_is_left_out() -> None:
    assert set(names(get_resolver().url_patterns)) - {name for name, _ in PAGES} - OPEN == set()
    assert operations() == set(CALLS)


def invitation(cast: Cast) -> int:
    """An open one, of Olga's."""
    invite(cast.space, Role.viewer, cast.user("olga"))
    return int(invitations_of(cast.space)[0].pk)


def begun(cast: Cast) -> dict[str, str]:
    """A run of Ada of which nothing is drawn yet, its pipeline, and a kept picture."""
    pipeline = keeping.make(cast.space, "Eight", "", keeping.BEGINNINGS["Eight to choose from"][1], None)
    run = runs.start(pipeline, cast.ada, "", {"prompt": "in a park"}, None)
    recipe = {"model": {"name": "nano-flux", "family": "flux", "sha256": "0"}, "prompt": "ada", "seed": 1, "steps": 1}
    recipe |= {"guidance": 1, "width": 64, "height": 64}
    made = Made.objects.create(space=cast.space, sha256="1" * 64, recipe=recipe, width=64, height=64)
    kept = Kept.objects.create(space=cast.space, made=made, words="ada", title="ada")
    server, _ = Server.objects.get_or_create(space=cast.space, name="mine", url=NOBODY, near=True)
    told = {"pipeline": str(pipeline.pk), "run": str(run.pk), "kept": str(kept.pk), "form": "whole"}
    comparison = Comparison.objects.create(space=cast.space, persona=cast.ada, prompts=["ada"], seed=1)
    comparison.contenders.create(name="one")
    told |= {"candidate": "999999"}
    return told | {"server": str(server.pk), "comparison": str(comparison.pk)} | planned(cast)


def planned(cast: Cast) -> dict[str, str]:
    """A pillar of Ada's with a cluster, an idea for it, and a group that was found."""
    pillar = pillars.add(cast.ada, pillars.Wanted("Walks"))
    cluster = clusters.add(cast.ada, "Rain", pillars=[pillar])
    about: dict[str, Any] = {"space": cast.space, "persona": cast.ada}
    idea = Idea.objects.create(pillar=pillar, title="A walk", prompt="in a park", by="template", **about)
    proposal = Proposal.objects.create(grouping=Grouping.objects.create(**about), place=1, name="Sea")
    told = {"pillar": pillar.pk, "cluster": cluster.pk, "idea": idea.pk, "proposal": proposal.pk}
    told |= {"channel": desk.outbox(cast.ada).pk, "post": desk.draft(cast.ada, (), None).pk}
    told |= {"learning": 999999, "age": 24, "table": 1}
    first = date(2027, 1, 1)
    told["campaign"] = briefs.add(cast.ada, briefs.Wanted("Winter", "Snow", first, first, 1), (), None).pk
    return {name: str(key) for name, key in told.items()} | {"feed_secret": "none", "signed": "none"}


@lru_cache
def routes_by_name() -> dict[str, str]:
    return dict(reversed([*routes(get_resolver().url_patterns)]))


def addressed(cast: Cast) -> dict[str, str]:
    """What stands in the addresses of the pages: things of Olga's space."""
    membership = Membership.objects.get(user__username="vic", space=cast.space)
    token = cast.space.tokens.first() or cast.space.tokens.model.find(cast.token("olga"))
    plain = {"space": "studio", "persona": "ada", "membership": str(membership.pk), "token": str(token and token.pk)}
    plain |= {"number": "1", "scene": "front", "name": "ada_v1.json", "sha256": "0" * 64, "side": "320", "job": "1"}
    return plain | {"lora": "1", "order": "1", "kind": "png", "invitation": str(invitation(cast))} | begun(cast)


def address(name: str, plain: dict[str, str]) -> str:
    """A real address of that name."""
    route = routes_by_name()[name]
    for key, value in plain.items():
        for form in (f"<slug:{key}>", f"<int:{key}>", f"<{key}>", f"<str:{key}>"):
            route = route.replace(form, value)
    assert "<" not in route, route
    return "/" + route


def ask(client: Client, method: str, path: str) -> int:
    if method == "GET":
        return client.get(path).status_code
    return client.post(path, {"role": "10"}).status_code


@pytest.mark.parametrize(("name", "method"), PAGES)
def test_each_gets_what_is_theirs(cast: Cast, name: str, method: str) -> None:
    path = address(name, addressed(cast))
    # The owner goes last: what she does may change what the others find.
    found = {who: ask(cast.clients[who], method, path) for who in reversed(WHO)}
    assert tuple(found[who] for who in WHO) == PAGES[name, method]


@pytest.fixture
def plain(cast: Cast) -> dict[str, str]:
    """What stands in the addresses of the API's operations: things that there are."""
    for seed in (1, 2):
        take_in(workspace_of(cast.ada), [Found("a.png", picture(seed), "portrait of ada")])
    token = ApiToken.find(cast.token("olga"))
    job = jobs.enqueue("turn", "turn-1", {"persona": cast.ada.pk}, scope=scope_of(cast.space), title="A turn")
    assert token is not None
    told = {"name": "mine", "kind": "character", "base": "nano-flux", "family": "flux", "sha256": "0" * 64, "size": 1}
    lora = Lora.objects.create(space=cast.space, origin=Origin.upload, **told)
    order = Order.objects.create(space=cast.space, recipe={}, count=1)
    known = {"space": "studio", "persona": "ada", "user": "vic", "sha256": hash_bytes(picture(1)), "job": str(job.pk)}
    known |= {"lora": str(lora.pk), "order": str(order.pk), "kind": "png", "invitation": str(invitation(cast))}
    known |= begun(cast) | {"collection": "Best"}
    return known | {"token": str(token.pk), "number": "1", "scene": "front", "name": "ada_v1.json"}


def call(client: Client, call: tuple[str, str], plain: dict[str, str]) -> Any:
    """Ask the API for an operation, with all that it needs."""
    method, path = call
    body = CALLS[call][0]
    for name, value in plain.items():
        path = path.replace(f"{{{name}}}", value)
    if body and any(isinstance(value, bytes) for value in body.values()):
        files = {k: SimpleUploadedFile(f"{k}.png", v) if isinstance(v, bytes) else v for k, v in body.items()}
        return client.post(f"/api{path}", files)
    sent = json.dumps(body).replace("{sha256}", plain["sha256"]) if body is not None else ""
    return client.generic(method, f"/api{path}", sent, "application/json")


@pytest.mark.parametrize("operation", CALLS, ids=" ".join)
def test_each_program_gets_what_is_theirs(cast: Cast, plain: dict[str, str], operation: tuple[str, str]) -> None:
    found = {who: call(cast.clients[who], operation, plain).status_code for who in reversed(WHO)}
    assert tuple(found[who] for who in WHO) == CALLS[operation][1]


def test_a_token_acts_as_its_maker_but_opens_no_further_doors(cast: Cast, plain: dict[str, str]) -> None:
    program = Client(headers={"Authorization": f"Bearer {cast.token('rui')}"})
    expected = {each: 403 if each in IN_PERSON else theirs[1] for each, (_, theirs) in CALLS.items()}
    assert {each: call(program, each, plain).status_code for each in CALLS} == expected


def test_a_token_for_another_space_opens_nothing(cast: Cast, plain: dict[str, str]) -> None:
    other = ApiToken.make(open_space("Second", cast.user("olga")), cast.user("olga"), "a test")
    program = Client(headers={"Authorization": f"Bearer {other}"})
    inside = [each for each in CALLS if "{space}" in each[1]]
    assert {each: call(program, each, plain).status_code for each in inside} == dict.fromkeys(inside, 403)


def test_a_foreign_site_cannot_act_for_a_member(cast: Cast, plain: dict[str, str]) -> None:
    careless = Client(enforce_csrf_checks=True)
    careless.force_login(cast.user("olga"))
    writing = [each for each in CALLS if each[0] != "GET"]
    assert {each: call(careless, each, plain).status_code for each in writing} == dict.fromkeys(writing, 403)


def test_a_token_lasts_as_long_as_its_maker(cast: Cast) -> None:
    secret = cast.token("olga")
    program = Client(headers={"Authorization": f"Bearer {secret}"})
    assert program.get("/api/spaces/studio/personas").status_code == 200
    assert [each["slug"] for each in program.get("/api/spaces").json()] == ["studio"]
    assert Client(headers={"Authorization": "Bearer zt_guess"}).get("/api/spaces").status_code == 401
    cast.user("olga").delete()
    assert program.get("/api/spaces").status_code == 401


def test_another_host_is_refused(cast: Cast) -> None:
    """A name that somebody points at this machine reaches nothing here."""
    assert cast.clients["olga"].get("/s/studio/", headers={"Host": "rebound.example"}).status_code == 400


def test_links_open_once(cast: Cast) -> None:
    secret = OneTimeLink.make(OneTimeLink.Purpose.invite, cast.space)
    sam = cast.clients["sam"]
    assert sam.post(f"/link/{secret}/").status_code == 302
    assert sam.get("/s/studio/").status_code == 200
    assert Client().get(f"/link/{secret}/").status_code == 404
    assert Client().get("/link/guess/").status_code == 404
