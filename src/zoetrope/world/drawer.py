"""Draws a figure in a scene with Pillow, and says where its joints are.

Everything is laid out on a 64 × 64 grid and drawn four times larger, then reduced: soft edges, any output size.
A head is a sphere seen from the front: a feature at angle a on it appears at sin(yaw + a), so any yaw can be drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw

from zoetrope.world import backgrounds, styles
from zoetrope.world import vocabulary as words
from zoetrope.world.figure import STEADY, Identity, Jitter, Scene
from zoetrope.world.vocabulary import Colour

GRID = 64
OVERSAMPLE = 4

Point = tuple[float, float]

INK: Colour = (34, 26, 40)
WHITE: Colour = (255, 255, 255)
TROUSERS: Colour = (70, 74, 96)
SHOES: Colour = (60, 44, 44)
HAT: Colour = (230, 92, 40)
SCARF: Colour = (40, 190, 190)
IRIS: Colour = (60, 40, 30)
ODD_IRIS: Colour = (40, 200, 60)
STAR: Colour = (255, 220, 0)
STRIPE: Colour = (235, 40, 130)
LIPS: Colour = (232, 56, 66)


@dataclass(frozen=True)
class Body:
    """The layout of a framing on the grid: head, torso and the joints, seen from the front, centred on x = 0."""

    head: Point
    radius: float
    shoulder: Point
    elbow: Point
    wrist: Point
    hip: Point
    knee: Point
    ankle: Point


BODIES: dict[str, Body] = {
    "portrait": Body((0, 26), 17, (15, 49), (19, 62), (19, 75), (9, 80), (9, 95), (9, 110)),
    "standing": Body((0, 17), 11, (7, 31), (10.5, 37), (11, 43), (3.6, 44), (3.8, 51), (4, 58)),
    "sitting": Body((0, 22), 11, (7, 36), (10, 42), (6, 46.5), (3.6, 47), (5.5, 50), (5.5, 60)),
    "tpose": Body((0, 17), 11, (7, 31), (15, 31), (23, 31), (3.6, 44), (3.8, 51), (4, 58)),
}


@dataclass(frozen=True)
class Drawing:
    """A picture and the joints in it, in fractions of its side (they may lie outside)."""

    image: Image.Image
    joints: dict[str, Point]


def draw(identity: Identity, scene: Scene, size: int = GRID, jitter: Jitter = STEADY) -> Drawing:
    """Draw one picture of `size` × `size` pixels."""
    pen = _Pen(size * OVERSAMPLE)
    backgrounds.paint(pen.canvas, scene.background, jitter)
    figure = _Figure(pen, identity, scene, jitter)
    figure.paint()
    image = pen.image.reduce(OVERSAMPLE)
    image = ImageChops.multiply(image, Image.new("RGB", image.size, words.LIGHT[scene.light]))
    image = styles.apply(image, scene.style)
    return Drawing(image, {name: (x / GRID, y / GRID) for name, (x, y) in figure.joints().items()})


def shade(colour: Colour, factor: float = 0.62) -> Colour:
    """A darker tone of a colour, for outlines and folds."""
    return (int(colour[0] * factor), int(colour[1] * factor), int(colour[2] * factor))


class _Pen:
    """Pillow's drawing calls in grid units."""

    def __init__(self, side: int) -> None:
        self.image = Image.new("RGB", (side, side))
        self.canvas = ImageDraw.Draw(self.image)
        self.unit = side / GRID

    def _scaled(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.unit, y * self.unit) for x, y in points]

    def ellipse(self, centre: Point, rx: float, ry: float, fill: Colour, edge: Colour | None = None) -> None:
        if rx <= 0 or ry <= 0:
            return
        (x0, y0), (x1, y1) = self._scaled([(centre[0] - rx, centre[1] - ry), (centre[0] + rx, centre[1] + ry)])
        self.canvas.ellipse((x0, y0, x1, y1), fill=fill, outline=edge, width=round(self.unit * 0.8) if edge else 0)

    def polygon(self, points: Sequence[Point], fill: Colour, edge: Colour | None = None) -> None:
        scaled = self._scaled(points)
        self.canvas.polygon(scaled, fill=fill)
        if edge:
            self.canvas.line([*scaled, scaled[0]], fill=edge, width=round(self.unit * 0.8), joint="curve")

    def line(self, points: Sequence[Point], fill: Colour, width: float) -> None:
        self.canvas.line(self._scaled(points), fill=fill, width=max(1, round(width * self.unit)), joint="curve")

    def limb(self, points: Sequence[Point], fill: Colour, width: float) -> None:
        """A thick line with round ends and a darker rim."""
        for colour, thick in ((shade(fill), width + 1.0), (fill, width)):
            self.line(points, colour, thick)
            for point in (points[0], points[-1]):
                self.ellipse(point, thick / 2, thick / 2, colour)


def face_yaw(degrees: float) -> float:
    """Where the features sit: cartoons turn a face less than its head, or a profile would have no mouth."""
    size = abs(degrees)
    for (a, fa), (b, fb) in pairwise(_FACE_TURN):
        if size <= b:
            return math.copysign(fa + (size - a) / (b - a) * (fb - fa), degrees)
    return math.copysign(180.0, degrees)


_FACE_TURN = ((0.0, 0.0), (45.0, 40.0), (90.0, 56.0), (118.0, 100.0), (180.0, 180.0))


class _Figure:
    """One figure on its way onto the page."""

    def __init__(self, pen: _Pen, identity: Identity, scene: Scene, jitter: Jitter) -> None:
        self.pen = pen
        self.identity = identity
        self.scene = scene
        self.body = BODIES[scene.framing]
        self.portrait = scene.framing == "portrait"
        self.jitter = jitter
        self.yaw = math.radians(scene.degrees)
        self.face = math.radians(face_yaw(scene.degrees))
        self.behind = abs(scene.degrees) > 100.0
        self.radius = self.body.radius * jitter.scale
        self.head = self.at(self.body.head)
        self.skin = words.SKIN[identity.skin]
        self.hair = words.HAIR_COLOUR[identity.hair_colour]
        self.cloth = words.CLOTHES[identity.clothes]

    def at(self, point: Point) -> Point:
        """A layout point on the page: scaled about the feet line's middle, shifted by the jitter."""
        pivot = 64.0 if self.portrait else 58.0
        return (
            32.0 + self.jitter.dx + point[0] * self.jitter.scale,
            pivot + self.jitter.dy + (point[1] - pivot) * self.jitter.scale,
        )

    def side(self, point: Point, sign: int) -> Point:
        """A paired joint, foreshortened by the body's turn."""
        turn = math.cos(self.yaw)
        width = point[0] * (turn if abs(turn) > 0.3 else math.copysign(0.3, turn))
        # Limbs that leave the body sideways keep their true foreshortening beyond the shoulder.
        reach = max(0.0, point[0] - self.body.shoulder[0] - 5.0) * (turn - width / point[0])
        return self.at((sign * (width + reach), point[1]))

    def joints(self) -> dict[str, Point]:
        named = {"head": self.head, "neck": self.at((0, self.body.shoulder[1] - 1.5))}
        for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
            for side, sign in (("left", 1), ("right", -1)):
                named[f"{side}_{name}"] = self.side(getattr(self.body, name), sign)
        return named

    def paint(self) -> None:
        if self.scene.framing == "sitting":
            self.stool()
        if not self.behind:
            self.back_hair()
            self.hood()
        if not self.portrait:
            self.legs()
            self.arms()
        self.torso()
        if self.identity.accessory == "scarf":
            self.scarf()
        self.skull()
        if not self.behind:
            self.features()
        if self.behind:
            self.hood()
            self.back_hair()
        self.hair_top()
        self.headwear()

    # ------------------------------------------------------------------ body

    def stool(self) -> None:
        x, y = self.at((0, self.body.hip[1]))
        self.pen.polygon([(x - 11, y - 2), (x + 11, y - 2), (x + 11, 60), (x - 11, 60)], (150, 98, 62), (96, 60, 40))

    def legs(self) -> None:
        bare = self.identity.clothes == "yellow dress"
        colour = self.cloth if self.identity.clothes == "blue overalls" else self.skin if bare else TROUSERS
        for sign in (-1, 1):
            hip, knee, ankle = (self.side(p, sign) for p in (self.body.hip, self.body.knee, self.body.ankle))
            self.pen.limb([hip, knee, ankle], colour, 4.2)
            toe = 1.6 * math.sin(self.yaw)
            self.pen.ellipse((ankle[0] + toe, ankle[1] + 0.6), 3.0, 1.9, SHOES)

    def arms(self) -> None:
        sleeve = WHITE if self.identity.clothes == "blue overalls" else self.cloth
        for sign in (-1, 1):
            shoulder, elbow, wrist = (
                self.side(p, sign) for p in (self.body.shoulder, self.body.elbow, self.body.wrist)
            )
            self.pen.limb([shoulder, elbow, wrist], sleeve, 3.4)
            self.pen.ellipse(wrist, 2.3, 2.3, self.skin, shade(self.skin))

    def torso(self) -> None:
        pen, r = self.pen, self.radius
        x, top = self.at((0, self.body.shoulder[1]))
        turn = max(abs(math.cos(self.yaw)), 0.55)
        half = self.body.shoulder[0] * self.jitter.scale * turn + (r * 0.28 if self.portrait else 1.0)
        bottom = 66.0 if self.portrait else self.at(self.body.hip)[1] + 1
        neck = r * 0.3
        pen.polygon(
            [(x - neck, self.head[1]), (x + neck, self.head[1]), (x + neck, top + 2), (x - neck, top + 2)], self.skin
        )
        base = WHITE if self.identity.clothes == "blue overalls" else self.cloth
        edge = shade(base)
        flare = 1.35 if self.identity.clothes in ("yellow dress", "purple coat") and not self.portrait else 1.0
        drop = 5.0 if flare > 1 else 0.0
        curve = min(r * 0.5, half * 0.6)
        pen.polygon(
            [
                (x - neck * 1.1, top - r * 0.16),
                (x - half + curve * 0.4, top + curve * 0.12),
                (x - half, top + curve),
                (x - half * flare, bottom + drop),
                (x + half * flare, bottom + drop),
                (x + half, top + curve),
                (x + half - curve * 0.4, top + curve * 0.12),
                (x + neck * 1.1, top - r * 0.16),
            ],
            base,
            edge,
        )
        self.garment(x, top, half, bottom)

    def garment(self, x: float, top: float, half: float, bottom: float) -> None:
        """What tells one garment from another, besides its colour."""
        pen, r, face = self.pen, self.radius, x + math.sin(self.yaw) * half * 0.5
        front = not self.behind
        match self.identity.clothes:
            case "red shirt" if front:
                pen.ellipse((face, top - r * 0.1), r * 0.3, r * 0.16, self.skin)
            case "yellow dress" if front:
                for sign in (-1, 1):
                    pen.ellipse((face + sign * r * 0.26, top + r * 0.02), r * 0.26, r * 0.17, WHITE)
            case "green hoodie" if front:
                for sign in (-1, 1):
                    pen.line([(face + sign * r * 0.18, top), (face + sign * r * 0.2, top + r * 0.5)], WHITE, r * 0.08)
            case "blue overalls":
                for sign in (-1, 1):
                    pen.line(
                        [(x + sign * half * 0.5, top), (x + sign * half * 0.5, top + r * 0.6)], self.cloth, r * 0.24
                    )
                bib = top + r * 0.5
                pen.polygon(
                    [
                        (x - half * 0.72, bib),
                        (x + half * 0.72, bib),
                        (x + half * 0.86, bottom),
                        (x - half * 0.86, bottom),
                    ],
                    self.cloth,
                    shade(self.cloth),
                )
            case "purple coat" if front:
                v = top + r * 0.62
                pen.polygon([(face - r * 0.34, top - r * 0.1), (face + r * 0.34, top - r * 0.1), (face, v)], WHITE)
                pen.line([(face, v), (face, bottom + 4)], shade(self.cloth), r * 0.09)

    def hood(self) -> None:
        if self.identity.clothes == "green hoodie":
            x, top = self.at((0, self.body.shoulder[1]))
            wide, tall = (0.62, 0.42) if self.behind else (0.86, 0.5)
            self.pen.ellipse(
                (x, top), self.radius * wide, self.radius * tall, shade(self.cloth, 0.8), shade(self.cloth, 0.5)
            )

    def scarf(self) -> None:
        x, top = self.at((0, self.body.shoulder[1]))
        r = self.radius
        self.pen.ellipse((x, top - r * 0.12), r * 0.58, r * 0.24, SCARF, shade(SCARF))

    # ------------------------------------------------------------------ head

    def skull(self) -> None:
        self.pen.ellipse(self.head, self.radius * 0.94, self.radius, self.skin, shade(self.skin))
        if not self.behind and abs(self.scene.degrees) > 20:
            nose = self.on_face(0.0, 0.12)
            stick = math.sin(self.yaw) * self.radius * 0.16
            tip = (nose[0] + stick * (1.35 if abs(self.scene.degrees) > 60 else 0.6), nose[1] + self.radius * 0.1)
            if abs(self.scene.degrees) > 60:
                edge = self.head[0] + math.copysign(self.radius * 0.9, self.yaw)
                tip = (edge + stick * 1.3, self.head[1] + self.radius * 0.22)
                top, low = (edge, self.head[1] - self.radius * 0.06), (edge, self.head[1] + self.radius * 0.34)
                self.pen.polygon([top, tip, low], self.skin)
                self.pen.line([top, tip, low], shade(self.skin), 0.8)

    def on_face(self, angle: float, height: float) -> Point:
        """The page position of a feature at `angle` degrees from the face's middle and `height` radii below centre."""
        width = math.sqrt(max(0.0, 1.0 - (height * 0.8) ** 2)) * self.radius * 0.94
        return (self.head[0] + math.sin(self.face + math.radians(angle)) * width, self.head[1] + height * self.radius)

    def shown(self, angle: float) -> float:
        """How squarely a feature faces us: its cosine, or 0 when it has turned away."""
        facing = math.cos(self.face + math.radians(angle))
        return facing if facing > 0.16 else 0.0

    def features(self) -> None:
        self.stripe()
        for sign in (-1, 1):
            self.eye(sign)
        if abs(self.scene.degrees) <= 60:
            nose = self.on_face(0.0, 0.24)
            lean = math.sin(self.face) * self.radius * 0.12
            self.pen.line(
                [nose, (nose[0] + lean, nose[1] + self.radius * 0.1)], shade(self.skin, 0.6), self.radius * 0.09
            )
        self.mouth()
        self.star()
        if self.identity.accessory == "glasses":
            self.glasses()

    def eye(self, sign: int) -> None:
        pen, r, angle = self.pen, self.radius, sign * 25.0
        facing = self.shown(angle)
        if not facing:
            return
        x, y = self.on_face(angle, 0.02)
        narrow = 0.55 + 0.45 * facing
        pen.ellipse((x, y), r * 0.2 * narrow, r * 0.22, WHITE, shade(self.skin, 0.5))
        odd = self.identity.mark == "odd_eyes" and sign == 1
        look = math.sin(self.face) * r * 0.06
        pen.ellipse((x + look, y + r * 0.02), r * 0.13 * narrow, r * 0.16, ODD_IRIS if odd else IRIS)
        self.brow(sign)

    def brow(self, sign: int) -> None:
        """Brows carry half of the expression: in and down when angry, in and up when sad."""
        r = self.radius
        inner, outer = {"neutral": (0.0, 0.0), "smiling": (-0.06, -0.02), "angry": (0.16, -0.12), "sad": (-0.16, 0.12)}[
            self.scene.expression
        ]
        points = [self.on_face(sign * 11.0, -0.36 + inner), self.on_face(sign * 39.0, -0.36 + outer)]
        self.pen.line(points, INK, r * 0.11)

    def mouth(self) -> None:
        r, level = self.radius, 0.54
        spread, curve = {"neutral": (17, 0.0), "smiling": (26, 0.22), "angry": (22, -0.05), "sad": (22, -0.17)}[
            self.scene.expression
        ]
        steps = [spread * (i / 6.0 - 1.0) for i in range(13)]
        arc: list[Point] = []
        for angle in steps:
            if self.shown(angle):
                x, y = self.on_face(angle, level)
                arc.append((x, y + curve * r * (1.0 - (angle / spread) ** 2) - curve * r * 0.5))
        if len(arc) < 2:
            return
        match self.scene.expression:
            case "smiling":
                self.pen.polygon([arc[0], *arc, arc[-1]], LIPS, INK)
            case "angry":
                upper = [(x, y - r * 0.12) for x, y in arc]
                lower = [(x, y + r * 0.1) for x, y in reversed(arc)]
                self.pen.polygon([*upper, *lower], WHITE, INK)
            case _:
                self.pen.line(arc, INK, r * 0.11)

    def star(self) -> None:
        angle = 38.0
        if self.identity.mark != "star" or not self.shown(angle):
            return
        x, y = self.on_face(angle, 0.42)
        r = self.radius * 0.23
        narrow = max(0.4, self.shown(angle))
        points = []
        for i in range(10):
            reach = r if i % 2 == 0 else r * 0.45
            turn = math.pi * (i / 5.0 - 0.5)
            points.append((x + math.cos(turn) * reach * narrow, y + math.sin(turn) * reach))
        self.pen.polygon(points, STAR, (150, 96, 0))

    def stripe(self) -> None:
        if self.identity.mark != "stripe":
            return
        band = [a for a in range(-66, 67, 6) if self.shown(a)]
        if len(band) > 1:
            self.pen.line([self.on_face(a, 0.3) for a in band], STRIPE, self.radius * 0.17)

    def glasses(self) -> None:
        pen, r = self.pen, self.radius
        centres = []
        for sign in (-1, 1):
            facing = self.shown(sign * 25.0)
            if facing:
                x, y = self.on_face(sign * 25.0, 0.02)
                wide = r * 0.29 * (0.6 + 0.4 * facing)
                ring = [
                    (x + math.cos(t * math.pi / 8) * wide, y + math.sin(t * math.pi / 8) * r * 0.29) for t in range(17)
                ]
                pen.line(ring, INK, r * 0.1)
                centres.append((x, y, wide))
        if len(centres) == 2:
            (x0, y0, w0), (x1, _, w1) = centres
            pen.line([(x0 + w0, y0), (x1 - w1, y0)], INK, r * 0.1)
        elif centres:
            x, y, wide = centres[0]
            back = -math.copysign(1.0, self.yaw)
            pen.line([(x + back * wide, y), (self.head[0] + back * r * 0.5, y)], INK, r * 0.1)

    # ------------------------------------------------------------------ hair

    @property
    def bald_top(self) -> bool:
        """A hat hides the hair: all of it is tucked in."""
        return self.identity.accessory == "hat"

    def back_hair(self) -> None:
        """Hair that hangs or stands behind the head."""
        if self.bald_top:
            return
        pen, r, (x, y) = self.pen, self.radius, self.head
        lean = -math.sin(self.yaw) * r * 0.3
        edge = shade(self.hair)
        if self.identity.hair_style == "long":
            turned = abs(math.sin(self.yaw))
            mid, wide, low = x + lean * 1.4, r * (1.04 - 0.3 * turned), y + r * 1.5
            sides = [(mid - wide * 0.9, y - r * 0.4), (mid - wide, y + r * 0.4), (mid - wide * 1.06, low - r * 0.2)]
            tips = [(mid - wide * 0.8, low), (mid + wide * 0.8, low)]
            mirrored = [(2 * mid - px, py) for px, py in reversed(sides)]
            pen.polygon([*sides, *tips, *mirrored], self.hair, edge)
        elif self.identity.hair_style == "curly":
            for turn in range(0, 360, 36):
                a = math.radians(turn)
                centre = (x + lean * 0.6 + math.cos(a) * r * 0.98, y - r * 0.12 + math.sin(a) * r * 0.86)
                if centre[1] < y + r * 0.62:
                    pen.ellipse(centre, r * 0.42, r * 0.42, self.hair, edge)

    def hair_top(self) -> None:
        """The cap of hair on the head, open where the face looks out."""
        if self.bald_top:
            return
        self.crown()
        outline = self.cap_outline()
        self.pen.polygon(outline, self.hair)
        self.pen.line(outline, shade(self.hair), 0.8)

    def cap_outline(self) -> list[Point]:
        """The outer rim of the cap from left to right, then back along its hairline."""
        x, y = self.head
        r = self.radius * 1.06
        low = {"short": 0.34, "spiky": 0.22, "bun": 0.22, "curly": 0.3, "long": 0.72}[self.identity.hair_style]
        heights = [low - i * (low + 1.0) / 14 for i in range(15)]
        left = [self._open(h, low)[0] for h in heights]
        right = [self._open(h, low)[1] for h in heights]
        rim_left = [(x - self._rim(h) * r, y + h * r) for h in heights]
        rim_right = [(x + self._rim(h) * r, y + h * r) for h in reversed(heights)]
        if all(a >= b for a, b in zip(left, right, strict=True)):
            return [*rim_left, *rim_right]
        inner_right = [(x + b * r, y + h * r) for h, a, b in zip(heights, left, right, strict=True) if a < b]
        inner_left = [(x + a * r, y + h * r) for h, a, b in zip(heights, left, right, strict=True) if a < b]
        return [*rim_left, *rim_right, *inner_right, *reversed(inner_left)]

    @staticmethod
    def _rim(height: float) -> float:
        return math.sqrt(max(0.0, 1.0 - min(1.0, abs(height)) ** 2)) * 0.97

    def _open(self, height: float, low: float) -> tuple[float, float]:
        """The face's opening at a height, as fractions of the radius; empty above the fringe."""
        fringe = {"short": -0.42, "long": -0.4, "spiky": -0.46, "bun": -0.6, "curly": -0.36}[self.identity.hair_style]
        if height < fringe:
            return (0.0, 0.0)
        angle = math.radians(58.0 + 14.0 * min(1.0, (height - fringe) / 0.3))
        if self.identity.hair_style == "bun":
            angle = math.radians(74.0)
        rim = self._rim(height)
        limit = math.pi / 2
        return (
            math.sin(max(-limit, min(limit, self.yaw - angle))) * rim,
            math.sin(max(-limit, min(limit, self.yaw + angle))) * rim,
        )

    def crown(self) -> None:
        pen, r, (x, y) = self.pen, self.radius, self.head
        edge = shade(self.hair)
        match self.identity.hair_style:
            case "spiky":
                for i in range(7):
                    a = math.radians(-160 + i * 140 / 6)
                    base = 0.2
                    tip = (x + math.cos(a) * r * 1.5, y + math.sin(a) * r * 1.42)
                    foot = [
                        (x + math.cos(a + s * base) * r * 0.98, y + math.sin(a + s * base) * r * 0.98) for s in (-1, 1)
                    ]
                    pen.polygon([foot[0], tip, foot[1]], self.hair, edge)
            case "bun":
                pen.ellipse((x - math.sin(self.yaw) * r * 0.3, y - r * 1.16), r * 0.42, r * 0.38, self.hair, edge)
            case _:
                pass

    def headwear(self) -> None:
        if not self.bald_top:
            return
        pen, r, (x, y) = self.pen, self.radius, self.head
        edge = shade(HAT)
        dome = [(x + math.cos(t) * r * 1.02, y - r * 0.3 + math.sin(t) * r * 0.92) for t in _half_circle()]
        pen.polygon(dome, HAT, edge)
        pen.polygon(
            [
                (x - r * 1.06, y - r * 0.5),
                (x + r * 1.06, y - r * 0.5),
                (x + r * 1.06, y - r * 0.24),
                (x - r * 1.06, y - r * 0.24),
            ],
            shade(HAT, 0.75),
            edge,
        )
        pen.ellipse((x, y - r * 1.22), r * 0.24, r * 0.24, WHITE, shade(WHITE))


def _half_circle() -> list[float]:
    return [math.pi + math.pi * i / 12 for i in range(13)]
