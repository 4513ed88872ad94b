"""Groups of pictures that belong together: how many there seem to be, which they are, which words tell each apart."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Labels = NDArray[np.int64]

MOST_GROUPS = 20
_TRIED = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20)
# The number of groups is tried on so many pictures, and their apartness measured on so many of those.
_SAMPLE, _MEASURED = 2_000, 1_000
# From so many pictures on they are looked at in portions.
_MANY, _PORTION = 5_000, 4_096
_WORDS = 3
# In so large a share of a group's texts a word has to stand, and so much oftener than elsewhere, to tell it apart.
_SHARE, _OFTENER = 0.25, 2.0
_WORD = re.compile(r"[^\W\d_]{3,}")
_PLAIN = """
about above after all and any are around been before behind below beside between but for from had has have her hers him
his into its like more near not off one onto other our out over own she some such than that the their them then there
these they this those through two under very was were while who with without you your
"""


@dataclass(frozen=True)
class Suggestion:
    """So many groups there seem to be, and how far apart these are: 1 for clearly so, 0 and less for not at all."""

    count: int
    apart: float


@dataclass(frozen=True)
class Group:
    """Places of pictures, the most typical first."""

    members: tuple[int, ...]


def suggested(rows: Rows) -> Suggestion:
    """The number of groups that lie farthest apart for how wide they are, of those tried on a sample."""
    from sklearn.metrics import silhouette_score  # type: ignore[import-untyped]

    sample = rows[_places(len(rows), _SAMPLE)]
    found = Suggestion(1, 0.0)
    for count in (each for each in _TRIED if each <= len(sample) // 2):
        labels = _model(sample, count).labels_
        if len(set(labels)) > 1:
            measured = {"sample_size": min(_MEASURED, len(sample)), "random_state": 0}
            apart = float(silhouette_score(sample, labels, **measured))
            found = max(found, Suggestion(count, apart), key=lambda each: each.apart)
    return found


def grouped(rows: Rows, count: int) -> list[Group]:
    """So many groups at most, the largest first."""
    model = _model(rows, min(count, len(rows)))
    labels: Labels = model.labels_.astype(np.int64)
    far = np.linalg.norm(rows - model.cluster_centers_.astype(np.float32)[labels], axis=1)
    order = np.lexsort((far, labels))
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    groups = [Group(tuple(int(place) for place in part)) for part in np.split(order, starts[1:])]
    return sorted(groups, key=lambda group: -len(group.members))


def telling(texts: Sequence[str], groups: Sequence[Group]) -> list[list[str]]:
    """For each group the few words that its texts have and the others have not."""
    plain = frozenset(_PLAIN.split())
    said = [frozenset(_WORD.findall(text.lower())) - plain for text in texts]
    everywhere = Counter(word for words in said for word in words)
    return [_telling(everywhere, each, said) for each in groups]


def named(words: Sequence[Sequence[str]]) -> list[str]:
    """A name for each group, all different."""
    names: list[str] = []
    for number, each in enumerate(words, start=1):
        name = ", ".join(each).capitalize()[:50] or f"Group {number}"
        names.append(f"{name} ({number})" if name in names else name)
    return names


def _telling(everywhere: "Counter[str]", group: Group, said: "Sequence[frozenset[str]]") -> list[str]:
    here = Counter(word for place in group.members for word in said[place])
    inside, outside = len(group.members), len(said) - len(group.members)
    scores = {}
    for word, count in here.items():
        share = count / inside
        # A half more on either side: of few texts, that a word stands nowhere else says little.
        odds = (count + 0.5) / (inside + 1) / ((everywhere[word] - count + 0.5) / (outside + 1))
        if share >= _SHARE and odds >= _OFTENER:
            scores[word] = share * np.log(odds)
    return sorted(scores, key=lambda word: (-scores[word], word))[:_WORDS]


def _places(count: int, most: int) -> NDArray[np.int64]:
    """So many of them at most, by chance that is always the same."""
    if count <= most:
        return np.arange(count)
    return np.random.default_rng(0).choice(count, most, replace=False)


def _model(rows: Rows, count: int) -> Any:
    from sklearn.cluster import KMeans, MiniBatchKMeans  # type: ignore[import-untyped]

    if len(rows) <= _MANY:
        return KMeans(count, n_init=4, random_state=0).fit(rows)
    return MiniBatchKMeans(count, n_init=3, batch_size=_PORTION, random_state=0).fit(rows)
