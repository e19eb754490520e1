"""Slices that look like anatomy: ellipses for organs, vessels, bone, and correlated noise.

Deterministic for a given numpy. Values are stored values on 12 bits; CT ones are Hounsfield
units plus 1024. Coordinates run from -1 to 1 in both directions: x to the patient's left, y to
the back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["BITS_STORED", "SLICES", "draw"]

BITS_STORED = 12
SLICES = 40
"""How many different slices exist of each kind: longer series go back and forth through them."""

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]
_FULL = (1 << BITS_STORED) - 1


def draw(kind: str, index: int, matrix: int) -> NDArray[np.uint16]:
    """One square image of `matrix` pixels: slice `index` (0 to 39) of an anatomy.

    `kind` is one of `thorax`, `abdomen`, `head-ct`, `head`, `body-mr`, `chest`, `breast` and
    `ultrasound`.
    """
    canvas = _Canvas(kind, index, matrix)
    _KINDS[kind](canvas)
    values: NDArray[np.uint16] = np.clip(np.rint(canvas.image), 0, _FULL).astype(np.uint16)
    return values


class _Region(NamedTuple):
    """Some pixels of a window of the grid: organs are small, grids are not."""

    rows: slice
    columns: slice
    inside: Mask


class _Canvas:
    """An image being drawn, its grid and its source of chance."""

    def __init__(self, kind: str, index: int, matrix: int) -> None:
        seed = hashlib.sha256(f"{kind}|{index}|{matrix}".encode()).digest()[:16]
        self.random = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
        # The same vessels run through all the slices of an anatomy.
        shared = hashlib.sha256(kind.encode()).digest()[:16]
        self.anatomy = np.random.Generator(np.random.PCG64(int.from_bytes(shared, "big")))
        self.axis = (np.arange(matrix) + 0.5) / matrix * 2 - 1
        self.x, self.y = np.meshgrid(self.axis, self.axis)
        self.z = index / (SLICES - 1) * 2 - 1
        self.matrix = matrix
        self.image: Image = np.zeros((matrix, matrix))

    def ellipse(
        self, cx: float, cy: float, rx: float, ry: float, *, angle: float = 0.0, wave: float = 0.0
    ) -> _Region:
        """The inside of an ellipse, its edge rippled by `wave` (a fraction of the radius)."""
        reach = max(rx, ry) * (1 + 1.5 * wave)
        columns, rows = self._span(cx, reach), self._span(cy, reach)
        dx, dy = self.axis[columns] - cx, self.axis[rows, None] - cy
        if angle:
            cos, sin = np.cos(angle), np.sin(angle)
            dx, dy = dx * cos + dy * sin, dy * cos - dx * sin
        if not wave:
            return _Region(rows, columns, (dx / rx) ** 2 + (dy / ry) ** 2 < 1)
        theta = np.arctan2(dy, dx)
        edge = 1 + wave * np.sin(5 * theta + 3 * self.z) + wave / 2 * np.sin(11 * theta + 1.7)
        return _Region(rows, columns, np.hypot(dx / rx, dy / ry) < edge)

    def _span(self, centre: float, reach: float) -> slice:
        first = int((centre - reach + 1) / 2 * self.matrix) - 1
        last = int((centre + reach + 1) / 2 * self.matrix) + 2
        return slice(max(first, 0), max(last, 0))

    def mask(self, region: _Region) -> Mask:
        """A region on the whole grid."""
        whole = np.zeros((self.matrix, self.matrix), dtype=bool)
        whole[region.rows, region.columns] = region.inside
        return whole

    def fill(self, where: _Region | Mask, value: float, *, within: Mask | None = None) -> None:
        """Paint, only where `within` allows."""
        window, inside = self._window(where, within)
        window[inside] = value

    def add(self, where: _Region | Mask, value: float, *, within: Mask | None = None) -> None:
        """Add to what is there, only where `within` allows."""
        window, inside = self._window(where, within)
        window[inside] += value

    def _window(self, where: _Region | Mask, within: Mask | None) -> tuple[Image, Mask]:
        if not isinstance(where, _Region):
            return self.image, where if within is None else where & within
        inside = where.inside
        if within is not None:
            inside = inside & within[where.rows, where.columns]
        return self.image[where.rows, where.columns], inside

    def blur(self, passes: int = 1) -> None:
        """The partial volume of edges: a small binomial filter."""
        self.image = _smooth(self.image, passes)

    def noise(self, sigma: float) -> Image:
        """Gaussian noise of that deviation, correlated over neighbours."""
        white = self.random.standard_normal((self.matrix, self.matrix))
        smooth = _smooth(white, 1)
        scaled: Image = smooth * (sigma / smooth.std())
        return scaled


def _smooth(image: Image, passes: int) -> Image:
    for _ in range(passes):
        for axis in (0, 1):
            image = (np.roll(image, 1, axis) + 2 * image + np.roll(image, -1, axis)) / 4
    return image


def _hounsfield(canvas: _Canvas, sigma: float) -> None:
    canvas.blur()
    canvas.image += 1024 + canvas.noise(sigma)


def _trunk(canvas: _Canvas, width: float, depth: float) -> None:
    """Skin, fat, muscle, spine and the table under the patient."""
    canvas.image[:] = -1000
    table = (np.abs(canvas.y - 0.83 + 0.10 * canvas.x**2) < 0.018) & (np.abs(canvas.x) < 0.8)
    canvas.fill(table, -150)
    canvas.fill(canvas.ellipse(0, 0.05, width, depth), -95)
    canvas.fill(canvas.ellipse(0, 0.05, width * 0.92, depth * 0.88), 52)


def _spine(canvas: _Canvas, y: float) -> None:
    canvas.fill(canvas.ellipse(0, y, 0.115, 0.095), 420)
    canvas.fill(canvas.ellipse(0, y, 0.095, 0.075), 210)
    canvas.fill(canvas.ellipse(0, y + 0.135, 0.075, 0.06), 480)
    canvas.fill(canvas.ellipse(0, y + 0.125, 0.045, 0.038), 25)
    canvas.fill(canvas.ellipse(0, y + 0.235, 0.022, 0.085), 520)
    for side in (-1, 1):
        canvas.fill(canvas.ellipse(side * 0.13, y + 0.12, 0.09, 0.025, angle=side * 0.4), 430)


def _ribs(canvas: _Canvas, width: float, depth: float) -> None:
    for number in range(9):
        theta = (number + 0.5) / 9 * np.pi + canvas.z * 0.5
        for side in (-1, 1):
            cx, cy = side * np.sin(theta) * width * 0.86, 0.05 - np.cos(theta) * depth * 0.84
            slope = np.arctan2(np.sin(theta) * depth, side * np.cos(theta) * width)
            canvas.fill(canvas.ellipse(cx, cy, 0.075, 0.022, angle=slope), 620)
            canvas.fill(canvas.ellipse(cx, cy, 0.055, 0.010, angle=slope), 230)


def _thorax(canvas: _Canvas) -> None:
    z = canvas.z
    width, depth = 0.86 + 0.03 * z, 0.62 + 0.02 * z
    _trunk(canvas, width, depth)
    size = 0.86 + 0.14 * np.cos(z * 1.4)
    lungs = np.zeros_like(canvas.x, dtype=bool)
    for side in (-1, 1):
        lung = canvas.ellipse(side * 0.40, 0.04, 0.315 * size, 0.47 * size, angle=side * 0.13)
        lungs |= canvas.mask(lung) & (np.abs(canvas.x) > 0.075)
    canvas.fill(lungs, -860)
    for _ in range(70):
        cx, cy = canvas.anatomy.uniform(-0.68, 0.68), canvas.anatomy.uniform(-0.34, 0.44)
        radius = canvas.anatomy.uniform(0.006, 0.022)
        drift = canvas.anatomy.uniform(-0.2, 0.2) * z
        near = 1.4 - abs(cx)
        vessel = canvas.ellipse(
            cx + drift, cy + drift / 2, radius * near * 1.6, radius * near, angle=cx * 5
        )
        canvas.fill(vessel, 30, within=lungs)
    heart = 0.20 + 0.06 * np.cos(z * 2)
    canvas.fill(canvas.ellipse(-0.0, -0.14, 0.13, 0.24), 35)
    canvas.fill(canvas.ellipse(0.10, -0.12, heart * 1.25, heart, angle=0.5), 45)
    canvas.fill(canvas.ellipse(0.15, -0.10, heart * 0.62, heart * 0.5, angle=0.5), 175)
    canvas.fill(canvas.ellipse(0.13, 0.23, 0.075, 0.072), 190)
    canvas.fill(canvas.ellipse(-0.02, 0.10, 0.045, 0.04), -960)
    canvas.fill(canvas.ellipse(0.03, 0.20, 0.03, 0.022), 20)
    _spine(canvas, 0.36)
    _ribs(canvas, width, depth)
    canvas.fill(canvas.ellipse(0, -0.50, 0.11, 0.026), 350)
    _hounsfield(canvas, 18)


def _abdomen(canvas: _Canvas) -> None:
    z = canvas.z
    _trunk(canvas, 0.84, 0.60)
    canvas.fill(canvas.ellipse(0, 0.03, 0.72, 0.45), -85)
    liver = canvas.mask(
        canvas.ellipse(-0.34, -0.08, 0.37 - 0.1 * z, 0.34 - 0.05 * z, angle=0.25, wave=0.03)
    )
    canvas.fill(liver, 108)
    for number in range(7):
        theta = number * 0.9 + z
        branch = canvas.ellipse(
            -0.34 + 0.2 * np.cos(theta), -0.08 + 0.17 * np.sin(theta), 0.07, 0.013, angle=theta
        )
        canvas.fill(branch, 165, within=liver)
    canvas.fill(canvas.ellipse(-0.20, -0.26 + 0.03 * z, 0.07, 0.055), 12)
    canvas.fill(canvas.ellipse(0.46, 0.03, 0.14, 0.22, angle=0.25), 122)
    stomach = canvas.ellipse(0.24, -0.22, 0.22, 0.14, angle=-0.35, wave=0.05)
    canvas.fill(stomach, 28)
    canvas.fill(stomach, -900, within=canvas.y < -0.27)
    canvas.fill(canvas.ellipse(0.04, -0.02, 0.23, 0.048, angle=-0.25, wave=0.08), 88)
    for side in (-1, 1):
        kidney = canvas.ellipse(side * 0.35, 0.25 + 0.02 * side, 0.115, 0.135, angle=side * 0.5)
        canvas.fill(kidney, 185)
        canvas.fill(canvas.ellipse(side * 0.31, 0.25, 0.05, 0.065), -60)
        canvas.fill(canvas.ellipse(side * 0.19, 0.33, 0.085, 0.11), 58)
    free = canvas.image < 0
    for number in range(9):
        theta = number * 0.7 + z * 2
        cx, cy = 0.45 * np.cos(theta), -0.20 + 0.10 * np.sin(2 * theta + z)
        canvas.fill(canvas.ellipse(cx, cy, 0.065, 0.05, wave=0.06), 40, within=free)
        canvas.fill(canvas.ellipse(cx, cy - 0.01, 0.035, 0.024), -700, within=free)
    canvas.fill(canvas.ellipse(0.06, 0.20, 0.055, 0.052), 210)
    canvas.fill(canvas.ellipse(-0.09, 0.19, 0.062, 0.05), 165)
    _spine(canvas, 0.33)
    _ribs(canvas, 0.84, 0.60)
    _hounsfield(canvas, 16)


def _brain(
    canvas: _Canvas, bone: float, scalp: float, grey: float, white: float, csf: float
) -> None:
    size = np.sqrt(max(0.2, 1 - 0.55 * canvas.z**2))
    canvas.fill(canvas.ellipse(0, 0, 0.74 * size, 0.90 * size), scalp)
    canvas.fill(canvas.ellipse(0, 0, 0.70 * size, 0.86 * size), bone)
    canvas.fill(canvas.ellipse(0, 0, 0.65 * size, 0.81 * size), csf)
    cortex = canvas.mask(canvas.ellipse(0, 0, 0.62 * size, 0.78 * size))
    theta = np.arctan2(canvas.y, canvas.x)
    radius = np.hypot(canvas.x / (0.62 * size), canvas.y / (0.78 * size))
    folds = 0.5 * np.sin(23 * theta + 9 * radius + 4 * canvas.z) + 0.5 * np.sin(
        37 * theta - 14 * radius + 2 * canvas.z
    )
    canvas.fill(cortex, grey)
    canvas.fill(cortex & (folds > 0.55) & (radius > 0.86), csf)
    canvas.fill(cortex & (radius + 0.07 * folds < 0.82), white)
    canvas.fill(cortex & (np.abs(canvas.x) < 0.011) & (np.abs(canvas.y) > 0.3 * size), csf)
    opening = size * (0.6 + 0.4 * np.cos(canvas.z * 2))
    for side in (-1, 1):
        canvas.fill(
            canvas.ellipse(side * 0.27, 0.02, 0.10 * size, 0.15 * size, angle=side * 0.3), grey
        )
        horn = canvas.ellipse(side * 0.10, -0.12, 0.05 * opening, 0.21 * opening, angle=-side * 0.3)
        canvas.fill(horn, csf)
        tail = canvas.ellipse(side * 0.17, 0.22, 0.045 * opening, 0.15 * opening, angle=side * 0.4)
        canvas.fill(tail, csf)
    canvas.fill(canvas.ellipse(0, 0.05, 0.016, 0.10 * opening), csf)


def _head_ct(canvas: _Canvas) -> None:
    canvas.image[:] = -1000
    _brain(canvas, bone=1150, scalp=-40, grey=38, white=27, csf=6)
    _hounsfield(canvas, 5)


def _rician(canvas: _Canvas, sigma: float) -> None:
    """Noise of a magnitude image, and the slow shading of a surface coil."""
    canvas.blur()
    shading = 1 + 0.12 * canvas.x - 0.08 * canvas.y
    canvas.image = np.hypot(canvas.image * shading + canvas.noise(sigma), canvas.noise(sigma))


def _head(canvas: _Canvas) -> None:
    _brain(canvas, bone=130, scalp=1500, grey=900, white=640, csf=1850)
    _rician(canvas, 28)


def _body_mr(canvas: _Canvas) -> None:
    canvas.fill(canvas.ellipse(0, 0.02, 0.86, 0.62), 1500)
    canvas.fill(canvas.ellipse(0, 0.02, 0.77, 0.53), 360)
    canvas.fill(canvas.ellipse(0, 0.0, 0.68, 0.43), 1250)
    canvas.fill(canvas.ellipse(-0.30, -0.07, 0.36, 0.31, angle=0.25, wave=0.03), 620)
    canvas.fill(canvas.ellipse(0.44, 0.03, 0.14, 0.21, angle=0.25), 950)
    canvas.fill(canvas.ellipse(0.22, -0.2, 0.2, 0.12, angle=-0.35, wave=0.05), 1700)
    for side in (-1, 1):
        canvas.fill(canvas.ellipse(side * 0.34, 0.22, 0.11, 0.13, angle=side * 0.5), 1150)
        canvas.fill(canvas.ellipse(side * 0.18, 0.30, 0.08, 0.1), 340)
    canvas.fill(canvas.ellipse(0.05, 0.17, 0.05, 0.05), 90)
    canvas.fill(canvas.ellipse(0, 0.31, 0.11, 0.09), 520)
    canvas.fill(canvas.ellipse(0, 0.43, 0.045, 0.04), 1900)
    _rician(canvas, 26)


def _chest(canvas: _Canvas) -> None:
    """A frontal radiograph: bright where much is crossed."""
    x, y = canvas.x, canvas.y
    canvas.image[:] = 250
    body = canvas.mask(canvas.ellipse(0, 0.35, 0.93, 1.25))
    canvas.fill(body, 1750)
    canvas.fill(canvas.ellipse(0, 1.05, 1.0, 0.55), 2500)
    for side in (-1, 1):
        lung = canvas.mask(canvas.ellipse(side * 0.42, 0.0, 0.33, 0.68, angle=side * 0.10))
        lung &= y < 0.52 - 0.25 * (x - side * 0.4) ** 2
        canvas.fill(lung, 780)
        for number in range(9):
            arch = np.abs(y + 0.62 - number * 0.15 - 0.30 * (np.abs(x) - 0.45) ** 2)
            canvas.add((arch < 0.022) & (x * side > 0.06), 190, within=body)
        for _ in range(40):
            theta = canvas.anatomy.uniform(-1.2, 1.2)
            reach = canvas.anatomy.uniform(0.08, 0.4)
            cx, cy = side * (0.13 + reach * np.cos(theta)), 0.05 + reach * np.sin(theta)
            branch = canvas.ellipse(cx, cy, 0.07, 0.007, angle=side * theta)
            canvas.add(branch, 170, within=lung)
        collar = np.abs(y + 0.70 + side * 0.16 * (x - side * 0.4)) < 0.028
        canvas.add(collar & (x * side > 0.1) & (x * side < 0.75), 420, within=body)
    canvas.fill(canvas.ellipse(0.15, 0.28, 0.30, 0.29, angle=0.6), 2250)
    canvas.fill(np.abs(x) < 0.10, 2350)
    for number in range(13):
        canvas.add(canvas.ellipse(0, -0.95 + number * 0.15, 0.10, 0.05), 170)
    canvas.fill(canvas.ellipse(0, -0.55, 0.035, 0.4), 1500)
    canvas.blur(4)
    canvas.image += canvas.noise(24)


def _breast(canvas: _Canvas) -> None:
    breast = canvas.mask(canvas.ellipse(-1.05, 0.02, 1.35, 0.82))
    canvas.fill(breast, 1200)
    for _ in range(120):
        cx, cy = canvas.anatomy.uniform(-0.9, 0.15), canvas.anatomy.uniform(-0.5, 0.5)
        strand = canvas.ellipse(cx, cy, 0.16, 0.02, angle=np.arctan2(cy, cx - 0.35))
        canvas.add(strand, 130, within=breast)
    canvas.add(canvas.ellipse(-0.25, 0.06, 0.36, 0.34, wave=0.1), 420, within=breast)
    canvas.image[canvas.x + 0.55 * canvas.y < -1.02] = 2600
    canvas.blur(3)
    canvas.image += canvas.noise(22)


def _ultrasound(canvas: _Canvas) -> None:
    depth = np.hypot(canvas.x, canvas.y + 1.1)
    fan = (np.abs(np.arctan2(canvas.x, canvas.y + 1.1)) < 0.62) & (depth > 0.28) & (depth < 2.0)
    canvas.image[:] = 900
    canvas.fill(canvas.ellipse(0.1, 0.05, 0.48, 0.36, angle=0.3, wave=0.02), 520)
    canvas.fill(canvas.ellipse(0.22 + 0.1 * canvas.z, -0.02, 0.16, 0.12), 30)
    canvas.fill(np.abs(depth - 0.55) < 0.02, 2300)
    canvas.fill(np.abs(depth - 1.72 - 0.03 * np.sin(5 * canvas.x)) < 0.02, 2600)
    speckle = np.hypot(canvas.noise(1.0), canvas.noise(1.0)) / 1.25
    canvas.image = np.where(fan, canvas.image * speckle * np.exp(-0.28 * depth) * 1.3, 0.0)


_KINDS: dict[str, Callable[[_Canvas], Any]] = {
    "thorax": _thorax,
    "abdomen": _abdomen,
    "head-ct": _head_ct,
    "head": _head,
    "body-mr": _body_mr,
    "chest": _chest,
    "breast": _breast,
    "ultrasound": _ultrasound,
}
