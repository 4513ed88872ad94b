"""What the server knows: accounts, tokens, containers, posts; and a ledger to hold the client's against."""

import hashlib
from bisect import bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count

from tests.studio.publishing.graph_clock import DAY, HOUR, Clock

INSTAGRAM, FACEBOOK = "instagram", "facebook"
# What a token may do is what its login asked for.
PERMISSIONS = {
    INSTAGRAM: {
        "basic": {"instagram_business_basic"},
        "publish": {"instagram_business_content_publish"},
        "insights": {"instagram_business_manage_insights"},
    },
    FACEBOOK: {
        "basic": {"instagram_basic"},
        "publish": {"instagram_content_publish", "pages_read_engagement"},
        "insights": {"instagram_manage_insights"},
    },
}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass
class Account:
    """A professional account that somebody connected by one of the two logins."""

    id: str
    username: str
    login: str
    posts_a_day: int = 100
    containers_a_day: int = 400
    # Restricted by Instagram: it publishes nothing.
    restricted: bool = False
    # Until then it is told to wait, and why.
    rests: tuple[float, str] = (0.0, "")
    made: list[float] = field(default_factory=list)
    # Oldest first, by the time from which each is live.
    posts: list["Post"] = field(default_factory=list)

    def made_since(self, since: float) -> list[float]:
        """When containers were made after a time."""
        return self.made[bisect_right(self.made, since) :]

    def live_until(self, at: float) -> int:
        """How many of its posts are live at a time."""
        return bisect_right(self.posts, at, key=lambda post: post.live)

    def used(self, at: float) -> int:
        """Posts of the last 24 hours, those too that are not to be seen yet."""
        return len(self.posts) - self.live_until(at - DAY)


@dataclass
class Token:
    """An access token."""

    text: str
    account: Account
    made: float
    ends: float
    permissions: set[str]
    long: bool = True
    revoked: bool = False


@dataclass
class Container:
    """Something on its way to be a post, or a part of one."""

    id: str
    account: Account
    # image, reel, story, carousel, child
    kind: str
    params: dict[str, str]
    made: float
    video: bool = False
    # From when it is FINISHED or ERROR; never while an upload or a download is not done.
    ready: float | None = None
    # The error with which it ended.
    failure: str = ""
    published: float | None = None
    # ERROR after it was published, although its post is live or will be.
    died: bool = False
    children: list["Container"] = field(default_factory=list)
    # What was fetched or uploaded, and the cover, by their hash.
    media: str = ""
    cover: str = ""
    uploaded: bytearray | None = None
    length_ms: int | None = None
    posts: list["Post"] = field(default_factory=list)

    def status(self, at: float) -> str:
        """As it was at a time."""
        if self.published is not None and at >= self.published:
            return "ERROR" if self.died else "PUBLISHED"
        if at >= self.made + DAY:
            return "EXPIRED"
        if self.ready is None or at < self.ready:
            return "IN_PROGRESS"
        return "ERROR" if self.failure else "FINISHED"

    @property
    def parts(self) -> list["Container"]:
        """What is seen of it."""
        return self.children or [self]


@dataclass
class Comment:
    """Under a post."""

    id: str
    post: "Post"
    text: str
    at: float


@dataclass
class Post:
    """What the world sees."""

    id: str
    container: Container
    # From when it is seen, which is also the time that it shows.
    live: float
    # One that belongs to a carousel; it is in no list.
    parent: "Post | None" = None
    children: list["Post"] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)

    @property
    def account(self) -> Account:
        return self.container.account

    @property
    def caption(self) -> str:
        return self.container.params.get("caption", "")

    @property
    def product(self) -> str:
        return {"reel": "REELS", "story": "STORY"}.get(self.container.kind, "FEED")

    @property
    def kind(self) -> str:
        if self.container.kind == "carousel":
            return "CAROUSEL_ALBUM"
        return "VIDEO" if self.container.video else "IMAGE"

    @property
    def shortcode(self) -> str:
        number, letters = int(self.id), ""
        while number:
            number, rest = divmod(number, 64)
            letters = _LETTERS[rest] + letters
        return letters

    @property
    def permalink(self) -> str:
        if self.product == "STORY":
            return f"https://www.instagram.com/stories/{self.account.username}/{self.id}/"
        return f"https://www.instagram.com/{'reel' if self.product == 'REELS' else 'p'}/{self.shortcode}/"

    @property
    def sort(self) -> tuple[float, str]:
        return self.live, self.id

    @property
    def same(self) -> tuple[str, ...]:
        """Equal for two that a person would call the same post; a story has no caption, so by what it shows."""
        shown = [part.media or _address(part) for part in self.container.parts]
        return self.account.id, self.product, *([self.caption] if self.caption else shown)


def _address(part: Container) -> str:
    """Without what signs it, which differs from one attempt to the next."""
    return (part.params.get("image_url") or part.params.get("video_url") or part.id).partition("?")[0]


@dataclass
class Call:
    """One request, and what came of it."""

    number: int
    name: str
    at: float
    account: str = ""
    # The id in its address, and the container that it publishes.
    about: str = ""
    caption: str = ""
    fault: str = ""
    # How often it was handled, and how each time ended: ok or the name of an error.
    outcomes: list[str] = field(default_factory=list)
    # Ids of what it made.
    made: list[str] = field(default_factory=list)
    # HTTP status; none where no answer was written.
    answered: int | None = None


class Truth:
    """All of it; read it from any thread."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        self.tokens: dict[str, Token] = {}
        # Codes that a login handed out, each good for one token.
        self.codes: dict[str, Account] = {}
        self.containers: dict[str, Container] = {}
        # Children of carousels too.
        self.posts: dict[str, Post] = {}
        self.calls: list[Call] = []
        self.files: dict[str, bytes] = {}
        self._by_caption: defaultdict[str, list[Post]] = defaultdict(list)
        # One step of it cannot be interrupted by the other thread.
        self._numbers = count(1)

    def account(
        self, username: str, login: str = INSTAGRAM, posts_a_day: int = 100, containers_a_day: int = 400
    ) -> Account:
        """A new one."""
        made = Account(self._id("17841"), username, login, posts_a_day, containers_a_day)
        self.accounts[made.id] = made
        return made

    def token(self, account: Account, long: bool = True, without: str = "") -> str:
        """A new one for it: of 60 days, or of one hour; with all that its login asks for, or without one of those."""
        needs = PERMISSIONS[account.login]
        permissions = set().union(*(names for need, names in needs.items() if need != without))
        now = self.clock.now()
        ends = now + (60 * DAY if long else HOUR)
        start = "IGAA" if account.login == INSTAGRAM else "EAAG"
        text = start + hashlib.sha256(self._id("token").encode()).hexdigest()
        self.tokens[text] = Token(text, account, now, ends, permissions, long)
        return text

    def expire(self, text: str) -> None:
        """A token's time is over."""
        self.tokens[text].ends = self.clock.now()

    def revoke(self, text: str) -> None:
        """A person took a token's rights away."""
        self.tokens[text].revoked = True

    def code(self, account: Account) -> str:
        """What the login's redirect carries."""
        made = self._id("code-")
        self.codes[made] = account
        return made

    def contain(self, container: Container) -> Container:
        """A new container gets its number and is kept."""
        container.id = self._id("1784")
        container.account.made.append(container.made)
        self.containers[container.id] = container
        return container

    def publish(self, container: Container, live: float) -> Post:
        """The one place where a post comes to be."""
        post = Post(self._id("1799"), container, live)
        post.children = [Post(self._id("1798"), child, live, post) for child in container.children]
        container.posts.append(post)
        self.posts |= {each.id: each for each in [post, *post.children]}
        insort(container.account.posts, post, key=lambda each: each.sort)
        self._by_caption[post.caption].append(post)
        return post

    def comment(self, post: Post, text: str) -> Comment:
        """A new one under a post."""
        made = Comment(self._id("1797"), post, text, self.clock.now())
        post.comments.append(made)
        return made

    def keep(self, data: bytes) -> str:
        """What was fetched or uploaded, once; its hash."""
        digest = hashlib.sha256(data).hexdigest()
        self.files[digest] = data
        return digest

    def note(self, name: str, about: str) -> Call:
        """A new line of the ledger."""
        call = Call(len(self.calls), name, self.clock.now(), about=about)
        self.calls.append(call)
        return call

    def posts_with(self, caption: str) -> list[Post]:
        """Every post that shows it, or will."""
        return list(self._by_caption.get(caption, []))

    def doubles(self) -> list[list[Post]]:
        """Posts that an account has more than once."""
        same: defaultdict[tuple[str, ...], list[Post]] = defaultdict(list)
        for account in list(self.accounts.values()):
            for post in list(account.posts):
                same[post.same].append(post)
        return [posts for posts in same.values() if len(posts) > 1]

    def calls_of(self, name: str) -> list[Call]:
        """The ledger's lines for one kind of call."""
        return [call for call in list(self.calls) if call.name == name]

    def _id(self, start: str) -> str:
        return f"{start}{next(self._numbers) * 37:013d}"
