"""A studio of any size, and every page of it that a member can open: for the test of queries and the benchmark."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from itertools import combinations, cycle, islice, product
from typing import Any

import numpy as np
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from PIL import Image

from zoetrope.media.files import write_together
from zoetrope.media.hashing import hash_bytes
from zoetrope.studio.comparing.models import Comparison, Judgement, Shot
from zoetrope.studio.jobs.models import Job, LogLine, State, Worker
from zoetrope.studio.library.models import Kept
from zoetrope.studio.loras.library import card_of, path_of
from zoetrope.studio.loras.models import Lora, Worn
from zoetrope.studio.making.models import Made, MadeLora, Order
from zoetrope.studio.making.store import clip_of, preview_of
from zoetrope.studio.making.store import path_of as made_path
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import begin, told_persona, workspace_of
from zoetrope.studio.pipelines import keeping
from zoetrope.studio.pipelines.models import Candidate, Pipeline, Run, Step
from zoetrope.studio.planning.clusters import Placed
from zoetrope.studio.planning.models import Cluster, GapRun, Grouping, Idea, Pillar, Proposal, Use
from zoetrope.studio.planning.slots import Slot
from zoetrope.studio.publishing import desk, feed, hosting, outgoing, slotting
from zoetrope.studio.publishing.drivers import outbox_of
from zoetrope.studio.publishing.models import Campaign, CampaignIdea, Channel, Entry, Post, PostPicture
from zoetrope.studio.servers.keeping import MOST
from zoetrope.studio.servers.models import Server
from zoetrope.studio.spaces.models import ApiToken, Membership, OneTimeLink, Role, Space, User
from zoetrope.studio.spaces.people import invite, open_space
from zoetrope.studio.spaces.work import scope_of
from zoetrope.studio.voting.models import Vote
from zoetrope.studio.workshop.tasks import KIND
from zoetrope.wheel import events as ev
from zoetrope.wheel.measure import card_folder
from zoetrope.wheel.workspace import Workspace, round_folder

SIDE, LARGE_SIDE = 64, 1024
_STATES = (State.DONE, State.DONE, State.FAILED, State.WAITING, State.CANCELLED)
_ANGLES = ("front", "left profile", "right profile", "three-quarter left", "three-quarter right")
_LOOKS = ("neutral", "smiling", "angry", "sad", "surprised")
_FRAMES = ("portrait", "upper body picture", "full body picture, standing", "full body picture, sitting")
_PLACES = ("in a park", "on a beach", "in a café", "in a street at night", "in a living room", "on a train", "at sea")


@dataclass(frozen=True)
class Size:
    """How much there is of everything; `large` of the pictures that wait are as large as Flux draws them."""

    pictures: int
    loras: int
    # Personas, spaces, members and their tokens.
    others: int
    # And log lines of the one that runs.
    jobs: int
    rounds: int
    steps: int
    large: int = 0


@dataclass(frozen=True)
class Crowd:
    """A studio that was filled: Olga owns its space, Ada has all the pictures."""

    space: Space
    olga: User
    ada: Persona

    @property
    def workspace(self) -> Workspace:
        return workspace_of(self.ada)

    def session(self) -> str:
        """The cookie of a login of Olga's."""
        client = Client()
        client.force_login(self.olga)
        assert isinstance(client.session, SessionStore)
        return str(client.session.session_key)


def crowd(size: Size) -> Crowd:
    """Fill an empty studio."""
    olga = User.objects.create_user("olga", password="a drum that turns")
    space = open_space("Studio", olga)
    _people(space, size.others)
    granted = told_persona("ada", "drawn", "", "nano-flux", "granted")
    ada = begin(space, granted, "Ada", SimpleUploadedFile("consent.pdf", b"%PDF-1.4 signed"))
    for number in range(1, size.others):
        begin(space, told_persona(f"other-{number}", "drawn", "", "nano-flux", "fictional"), f"Other {number}")
        open_space(f"Space {number}", olga)
    fill(workspace_of(ada), size)
    _jobs(space, ada, size)
    _loras(space, ada, size)
    _runs(space, ada, olga, size)
    _plan(ada, olga, size)
    _posts(ada, olga, size)
    _servers(space, size)
    _comparisons(ada, olga, size)
    return Crowd(space, olga, ada)


def _people(space: Space, members: int) -> None:
    users = User.objects.bulk_create([User(username=f"member-{number}") for number in range(1, members)])
    Membership.objects.bulk_create([Membership(space=space, user=user, role=Role.reviewer) for user in users])
    for user in users:
        ApiToken.make(space, user, "a script")
        invite(space, Role.viewer, user)


def _servers(space: Space, size: Size) -> None:
    """Servers where nobody listens, which is told at once."""
    numbers = range(min(MOST, size.others))
    Server.objects.bulk_create(
        Server(space=space, name=f"server {number}", url=f"http://127.0.0.1:{number + 1}", near=True)
        for number in numbers
    )


def _comparisons(ada: Persona, olga: User, size: Size) -> None:
    """As many as there are others, the newest with all its pictures and choices between them."""
    rows = Comparison.objects.bulk_create(
        Comparison(space=ada.space, persona=ada, prompts=[f"portrait of ada {n}" for n in range(12)], seed=1)
        for _ in range(size.others)
    )
    made = Made.objects.filter(space=ada.space, order__isnull=False)
    orders = list(Order.objects.filter(pk__in=made.values("order"))[: 4 * 12])
    newest = [rows[-1].contenders.create(name=f"ada v{number}") for number in range(4)]
    places = [(contender, prompt) for prompt in range(12) for contender in newest]
    shots = Shot.objects.bulk_create(
        Shot(contender=contender, prompt=prompt, order=order)
        for (contender, prompt), order in zip(places, orders, strict=False)
    )
    pairs = [(one, other) for one, other in combinations(shots, 2) if one.prompt == other.prompt]
    Judgement.objects.bulk_create(
        Judgement(comparison=rows[-1], left=one, right=other, chosen=one, by=olga) for one, other in pairs[1:]
    )


def _jobs(space: Space, ada: Persona, size: Size) -> None:
    states = [State.RUNNING, *islice(cycle(_STATES), size.jobs - 1)]
    common: dict[str, Any] = {"kind": KIND, "args": {"persona": ada.pk}, "scope": scope_of(space)}
    made = Job.objects.bulk_create(
        Job(key=f"{KIND}-{number}", title=f"Turn {number}", state=state, **common)
        for number, state in enumerate(states)
    )
    Job.objects.filter(pk=made[0].pk).update(worker="1", stage="training", done=1, total=400)
    # It seems alive for as long as anybody looks: of a dead one's jobs a page that looks makes lost ones.
    Worker.objects.create(name="1", seen=timezone.now() + timedelta(days=1))
    lines = (LogLine(job=made[0], text=f"step {number}: loss 0.1") for number in range(size.jobs // 2))
    LogLine.objects.bulk_create(lines)


def _loras(space: Space, ada: Persona, size: Size) -> None:
    """A library in which every LoRA was tried once, and the newest are worn."""
    small = drawn(0, SIDE)
    sha256 = hash_bytes(small)
    sheet = {"settings": dict.fromkeys(("steps", "lr", "resolutions", *map(str, range(40))), "as always")}
    common: dict[str, Any] = {"space": space, "persona": ada, "base": "nano-flux", "family": "flux", "sheet": sheet}
    common |= {"name": "ada", "kind": "character", "size": len(small), "card": sha256}
    rows = Lora.objects.bulk_create(
        Lora(version=number, sha256=f"{number:064x}", **common) for number in range(1, size.loras + 1)
    )
    newest = rows[-1]
    write_together({path_of(newest): small, card_of(newest): small, made_path(sha256): small}, durable=False)
    Worn.objects.bulk_create(Worn(persona=ada, lora=row, primary=row is newest) for row in rows[-size.others :])
    _drawn_with(newest, sha256, size)


def _drawn_with(lora: Lora, sha256: str, size: Size) -> None:
    """As many orders of four pictures as there are LoRAs, all with this one."""
    model = {"name": "nano-flux", "family": "flux", "sha256": "0" * 64}
    recipe = {"prompt": "portrait of ada", "model": model, "seed": 1, "steps": 20, "guidance": 1.0}
    recipe |= {"width": SIDE, "height": SIDE, "loras": []}
    common: dict[str, Any] = {"space": lora.space, "persona": lora.persona, "recipe": recipe}
    orders = Order.objects.bulk_create(Order(count=4, **common) for _ in range(size.loras))
    Job.objects.bulk_create(
        Job(key=order.key, kind="draw", scope=scope_of(lora.space), state=State.DONE) for order in orders
    )
    common |= {"sha256": sha256, "width": SIDE, "height": SIDE}
    made = Made.objects.bulk_create(
        Made(order=order, number=number, **common) for order in orders for number in range(4)
    )
    MadeLora.objects.bulk_create(MadeLora(made=each, sha256=lora.sha256, weight=1) for each in made)


def _runs(space: Space, ada: Persona, olga: User, size: Size) -> None:
    """As many pipelines as there are others, each with a run; of the newest run as many drafts, voted on as often."""
    made = Made.objects.filter(space=space)[: size.others]
    for number in range(size.others):
        _, steps = keeping.BEGINNINGS["Drafts, then the best finished"]
        pipeline = keeping.make(space, f"Pipeline {number}", "", steps, olga)
        Run.objects.create(
            space=space,
            version=keeping.newest(pipeline),
            persona=ada,
            name=f"Run {number}",
            variables={"prompt": "in a park"},
            wake=None,
        )
    run = Run.objects.latest("pk")
    step = run.version.steps.all()[0]
    drafts = Candidate.objects.bulk_create(
        Candidate(run=run, step=step, made=each, state=Candidate.State.ACTIVE) for each in made
    )
    Step.objects.filter(pk=step.pk).update(children=len(drafts))
    # How the newest looked on its way.
    order = Order.objects.latest("pk")
    Candidate.objects.filter(pk=drafts[-1].pk).update(order=order)
    write_together({preview_of(order.key): drawn(0, SIDE)}, durable=False)
    pairs = zip(drafts, [*drafts[1:], drafts[0]], strict=True)
    Kept.objects.bulk_create(
        Kept(space=space, made=each, words="portrait of ada", title="portrait of ada") for each in made
    )
    Run.objects.filter(pk=run.pk).update(winner=drafts[0])
    Kept.objects.filter(pk=Kept.objects.latest("pk").pk).update(run=run)
    Vote.objects.bulk_create(
        Vote(run=run, step=step, kind=Vote.Kind.BEST, members=[one.pk, two.pk], chosen=one, by=olga)
        for one, two in pairs
    )


def fill(workspace: Workspace, size: Size) -> None:
    """Pictures with words and decisions, rounds with their cards and exports, a training at work."""
    events: list[ev.Event] = []
    for number in range(size.pictures):
        events += _picture(workspace, number, LARGE_SIDE if number < size.large else SIDE, waits=number < size.large)
    for number in range(1, size.rounds + 1):
        events += _round(workspace, number)
    workspace.record(events)
    lines = [json.dumps({"step": step, "loss": 1 / step, "rate": 1e-4}) for step in range(1, size.steps + 1)]
    training = round_folder(workspace, size.rounds + 1) / "training"
    metrics, sample = training / "metrics.jsonl", training / "samples" / "000050-0.png"
    write_together({metrics: "\n".join(lines).encode(), sample: drawn(0, SIDE)}, durable=False)


def _picture(workspace: Workspace, number: int, side: int, waits: bool) -> Iterator[ev.Event]:
    data, text = drawn(number, side), _caption(number)
    sha256, file = hash_bytes(data), f"sources/ada-{number}.png"
    path = workspace.folder / file
    write_together({path: data, path.with_suffix(".txt"): text.encode()}, durable=False)
    origin = ev.Origin.synthetic if number % 2 else ev.Origin.source
    yield ev.Added(sha256=sha256, file=file, origin=origin)
    yield ev.Captioned(sha256=sha256, text=text, by="file")
    if not waits and number % 5 in (0, 1):
        yield ev.Kept(sha256=sha256, by="olga")
    elif not waits and number % 5 == 2:
        yield ev.Rejected(sha256=sha256, reason=ev.Reason.hands, by="olga")


def _caption(number: int) -> str:
    """A caption unlike the others, as a captioning model writes them."""
    words = (values[(number // step) % len(values)] for values, step in ((_LOOKS, 4), (_ANGLES, 20), (_PLACES, 100)))
    return f"{_FRAMES[number % 4]} of ada, {', '.join(words)}, soft light, with {number} birds behind her"


def _clip(there: Crowd) -> str:
    """A clip of the space; nobody looks into it here."""
    sha256 = "c1" * 32
    write_together({clip_of(sha256): bytes(1000)}, durable=False)
    about = {"media": "clip", "width": 90, "height": 160, "seconds": 4.0, "frames": 30.0}
    Made.objects.get_or_create(space=there.ada.space, sha256=sha256, defaults=about)
    return sha256


def drawn(number: int, side: int) -> bytes:
    """A PNG unlike all others, which compresses as badly as a picture does."""
    rng = np.random.default_rng(number)
    coarse = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), dtype=np.int16)
    grain = rng.integers(-6, 7, (side, side, 3), dtype=np.int16)
    image = Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _round(workspace: Workspace, number: int) -> Iterator[ev.Event]:
    scores = {"passing": 0.9, "adherence": 0.8, "likeness": 0.7, "diversity": 0.2 + number / 1000}
    scenes = [f"scene-{scene}" for scene in range(23)]
    told = {"version": number, "scores": scores, "pictures": [{"scene": name, "label": name} for name in scenes]}
    folder, exports = card_folder(workspace, number), workspace.folder / "exports"
    small = drawn(number, SIDE)
    files = {folder / f"{name}.png": small for name in scenes} | {folder / "card.json": json.dumps(told).encode()}
    files |= {exports / f"ada_v{number}.{kind}": small for kind in ("safetensors", "png")}
    files |= {exports / f"ada_v{number}.json": json.dumps({"name": "ada", "sha256": f"{number:064x}"}).encode()}
    write_together(files, durable=False)
    yield ev.Trained(round=number, dataset="0" * 64, lora="0" * 64)
    yield ev.Exported(round=number, version=number, sha256="0" * 64)
    yield ev.Carded(round=number, scores=scores)
    yield ev.Synthesized(round=number, drawn=100)
    yield ev.Closed(round=number, verdict="done")


@dataclass(frozen=True)
class Page:
    """What a member can ask for by one name, in each of the ways that there are samples for."""

    name: str
    paths: tuple[str, ...]


# Where its addresses begin there is nothing, and a login elsewhere comes back with its answer.
_NOWHERE = {"api-root", "channel-logged-in"}


def pages(there: Crowd) -> list[Page]:
    """Every address of the site, filled in; whoever adds one with a new part says here what it stands for."""
    samples = _samples(there)
    named: dict[str, str] = {}
    # The API has several names for one address.
    for name, route in routes(get_resolver().url_patterns):
        named.setdefault(route, name)
    return [Page(name, tuple(_filled(name, route, samples))) for route, name in named.items() if name not in _NOWHERE]


def _plan(ada: Persona, olga: User, size: Any) -> None:
    """As many pillars, clusters, ideas and proposals as there are others; each cluster has every kept picture."""
    numbers = range(size.others)
    about: dict[str, Any] = {"space": ada.space, "persona": ada}
    rows = Pillar.objects.bulk_create(Pillar(name=f"Pillar {n}", weight=1, posts_per_week=2, **about) for n in numbers)
    found = Cluster.objects.bulk_create(Cluster(name=f"Cluster {n}", **about) for n in numbers)
    for cluster, pillar in zip(found, rows, strict=True):
        cluster.pillars.add(pillar)
    kept = list(Kept.objects.filter(space=ada.space))
    Placed.objects.bulk_create(Placed(cluster=cluster, kept=each) for cluster in found[:3] for each in kept)
    Use.objects.create(kept=kept[0], made=kept[0].made, pillar=rows[0], post=10**6, at=timezone.now())
    Idea.objects.bulk_create(
        Idea(pillar=each, title="A walk", prompt="in a park", by="template", **about) for each in rows
    )
    for run in Run.objects.filter(persona=ada):
        GapRun.objects.create(run=run, pillar=rows[0])
    grouping = Grouping.objects.create(by=olga, pictures=len(kept), done=timezone.now(), **about)
    keys = [each.pk for each in kept]
    Proposal.objects.bulk_create(
        Proposal(grouping=grouping, place=n, name=f"Group {n}", members=keys, count=len(keys), typical=keys[:8])
        for n in numbers
    )


def _posts(ada: Persona, olga: User, size: Size) -> None:
    """As many posts as there are others, one a day, each with a picture and a call that was made for it."""
    channel, now = desk.outbox(ada), timezone.now()
    about: dict[str, Any] = {"space": ada.space, "persona": ada, "channel": channel, "by": olga}
    posts = Post.objects.bulk_create(
        Post(caption=f"Post {n}", due=now + timedelta(days=n), hashtags=["ada"], **about) for n in range(size.others)
    )
    made = Made.objects.filter(space=ada.space).first()
    assert made is not None
    PostPicture.objects.bulk_create(PostPicture(post=post, made=made) for post in posts)
    Entry.objects.bulk_create(
        Entry(channel=channel, post=post, call="status", outcome=Entry.Outcome.DONE, at=now) for post in posts
    )
    _campaigns(ada, olga, posts, size)
    # The last one went out.
    folder = f"2026-01-01-post-{posts[-1].pk}"
    Post.objects.filter(pk=posts[-1].pk).update(state=Post.State.PUBLISHED, media=folder, published=now)
    write_together({outbox_of(channel) / folder / "post.json": b"{}"}, durable=False)


def _campaigns(ada: Persona, olga: User, posts: list[Post], size: Size) -> None:
    """As many campaigns as there are others, the newest with so many posts, ideas and rejected ones; and slots."""
    day, numbers = timezone.now().date(), range(size.others)
    said: dict[str, Any] = {"space": ada.space, "persona": ada, "about": "Scarves", "by": olga}
    said |= {"starts": day, "ends": day + timedelta(days=30), "posts": 10}
    newest = Campaign.objects.bulk_create(Campaign(name=f"Campaign {n}", **said) for n in numbers)[-1]
    newest.pillars.set(Pillar.objects.filter(persona=ada)[:3])
    told: dict[str, Any] = {"campaign": newest, "title": "A walk", "prompt": "in a park", "by": "template"}
    told["pillar"] = newest.pillars.first()
    free = iter(Run.objects.filter(persona=ada))
    rows = [CampaignIdea(state="chosen", post=post, run=next(free, None), **told) for post in posts]
    rows += [CampaignIdea(state=state, **told) for state in ("pending", "rejected") for _ in numbers]
    CampaignIdea.objects.bulk_create(rows)
    slotting.put(ada, [Slot(n % 7, time(n // 7)) for n in numbers][: slotting.MOST])


def _samples(there: Crowd) -> dict[str, tuple[object, ...]]:
    shown = list(there.workspace.state().pictures)
    link = OneTimeLink.make(OneTimeLink.Purpose.invite, there.space)
    lora, now = Lora.objects.latest("pk"), there.workspace.state().round
    # Its page and the API's name for it.
    drawn_along: dict[str, tuple[object, ...]] = {}
    for page in ("turn-sample", "sample_picture"):
        drawn_along |= {f"{page}.number": (now,), f"{page}.name": ("000050-0.png",)}
    return {
        "space": (there.space.slug,),
        "persona": (there.ada.name,),
        "secret": (link,),
        "membership": (Membership.objects.filter(space=there.space).latest("pk").pk,),
        "token": (1,),
        "invitation": (1,),
        "user": (there.olga.username,),
        "job": (Job.objects.earliest("pk").pk,),
        "number": (1,),
        "scene": ("scene-1",),
        "name": ("ada_v1.json",),
        "sha256": (shown[0], shown[-1]),
        "side": (0, 160, 320, 1280),
        "lora": (lora.pk,),
        "order": (Order.objects.latest("pk").pk,),
        "kind": ("safetensors", "png"),
        "pipeline": (Pipeline.objects.latest("pk").pk,),
        "run": (Run.objects.latest("pk").pk,),
        "kept": (Kept.objects.latest("pk").pk,),
        "channel": (Channel.objects.latest("pk").pk,),
        "post": (Post.objects.latest("pk").pk,),
        "post-picture.number": (PostPicture.objects.latest("pk").pk,),
        "feed_secret": (feed.renew(there.ada),),
        "signed": (hosting.signed(outgoing.ready(Made.objects.filter(media="image").latest("pk").sha256, None).name),),
        "campaign": (Campaign.objects.latest("pk").pk,),
        "learning": (1,),
        "age": (24,),
        "table": (1,),
        "pillar": (Pillar.objects.latest("pk").pk,),
        "cluster": (Cluster.objects.earliest("pk").pk,),
        "idea": (Idea.objects.latest("pk").pk,),
        "proposal": (Proposal.objects.latest("pk").pk,),
        "form": ("whole", "bare"),
        "collection": ("best",),
        "candidate": (Candidate.objects.latest("pk").pk,),
        "comparison": (Comparison.objects.latest("pk").pk,),
        "server": (Server.objects.latest("pk").pk,),
        **drawn_along,
        "lora-card.sha256": (lora.card,),
        **dict.fromkeys(
            ("made-picture.sha256", "made_picture.sha256"),
            (Made.objects.filter(media="image").latest("pk").sha256,),
        ),
        "made-clip.sha256": (_clip(there),),
    }


def _filled(name: str, route: str, samples: dict[str, tuple[object, ...]]) -> Iterator[str]:
    parts = re.findall(r"<(?:\w+:)?(\w+)>", route)
    samples = samples | {part: samples[f"{name}.{part}"] for part in parts if f"{name}.{part}" in samples}
    missing = [part for part in parts if part not in samples]
    if missing:
        raise LookupError(f"{name} ({route}) has a part {missing[0]!r} that is unknown here: add it to `_samples`.")
    for values in product(*(samples[part] for part in parts)):
        path = route
        for part, value in zip(parts, values, strict=True):
            path = re.sub(rf"<(?:\w+:)?{part}>", str(value), path)
        yield f"/{path}"


def routes(patterns: "list[URLPattern | URLResolver]", before: str = "") -> Iterator[tuple[str, str]]:
    """Every named address, with its parts in angle brackets."""
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, route)
        elif each.name:
            yield each.name, route
