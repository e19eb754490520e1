// A volume made of the frames of a series, its three planes, and maximum intensity projections.
//
// Nothing is copied: planes are read across the frames. Axes are those of the acquisition, named by
// the patient's axis they are closest to (DICOM PS3.3 C.7.6.2: x to the left, y to the back, z to
// the head).

const TOLERANCE = 1e-3;

/** `{ok: true, …}` or `{ok: false, reason}`: a regular grid or nothing (a wrong one would lie). */
export function volumeOf(frames) {
  const no = (reason) => ({ ok: false, reason: `Pas de reconstruction : ${reason}.` });
  if (frames.length < 3) return no("moins de trois coupes");
  const first = frames[0];
  const { orientation, spacing } = first.plane;
  if (frames.some((frame) => frame.rgb)) return no("images en couleurs");
  if (!orientation || !spacing || first.plane.atDetector || frames.some((f) => !f.plane.position)) {
    return no("position, orientation ou taille des pixels absentes");
  }
  for (const frame of frames) {
    if (frame.image.rows !== first.image.rows || frame.image.columns !== first.image.columns) {
      return no("coupes de tailles différentes");
    }
    if (!near(frame.plane.orientation, orientation, TOLERANCE)) return no("coupes d'orientations différentes");
    if (!near(frame.plane.spacing, spacing, TOLERANCE)) return no("pixels de tailles différentes");
    if (frame.image.frameOfReference !== first.image.frameOfReference) {
      return no("repères différents");
    }
  }
  const right = orientation.slice(0, 3);
  const down = orientation.slice(3);
  const normal = cross(right, down);
  if (Math.abs(dot(right, down)) > TOLERANCE || Math.abs(dot(normal, normal) - 1) > 0.01) {
    return no("orientation illisible");
  }
  const placed = frames
    .map((frame) => ({ frame, at: dot(frame.plane.position, normal) }))
    .sort((a, b) => a.at - b.at);
  const steps = placed.slice(1).map(({ at }, index) => at - placed[index].at);
  const step = steps.slice().sort((a, b) => a - b)[steps.length >> 1];
  if (Math.min(...steps) < 0.01) return no("plusieurs images à la même position");
  const worst = Math.max(...steps.map((one) => Math.abs(one - step)));
  if (worst > Math.max(0.05 * step, 0.02)) {
    return no(`coupes inégalement espacées (${mm(Math.min(...steps))} à ${mm(Math.max(...steps))} mm)`);
  }
  const origin = placed[0].frame.plane.position;
  for (const { frame, at } of placed) {
    const along = origin.map((value, axis) => value + normal[axis] * (at - placed[0].at));
    if (!near(frame.plane.position, along, Math.max(0.1, 0.25 * spacing[0]))) {
      return no("coupes décalées l'une par rapport à l'autre (statif incliné)");
    }
  }
  return {
    ok: true,
    frames: placed.map(({ frame }) => frame),
    rows: first.image.rows,
    columns: first.image.columns,
    sizes: [first.image.columns, first.image.rows, frames.length],
    spacings: [spacing[1], spacing[0], step],
    axes: [right, down, normal],
    origin,
  };
}

// What each plane shows to the right and downwards, in the patient's axes.
const VIEWS = {
  axial: { right: [0, 1], down: [1, 1], through: [2, -1] },
  coronal: { right: [0, 1], down: [2, -1], through: [1, 1] },
  sagittal: { right: [1, 1], down: [2, -1], through: [0, 1] },
};

/** How a plane walks the volume: an axis of it and a direction (+1, -1) for each of three. */
export function walkOf(volume, name) {
  const closest = matched(volume.axes);
  const walk = {};
  for (const [way, [patient, sign]] of Object.entries(VIEWS[name])) {
    const axis = closest[patient];
    walk[way] = { axis, sign: sign * Math.sign(volume.axes[axis][patient]) || 1 };
  }
  return {
    ...walk,
    width: volume.sizes[walk.right.axis],
    height: volume.sizes[walk.down.axis],
    count: volume.sizes[walk.through.axis],
    spacing: [volume.spacings[walk.down.axis], volume.spacings[walk.right.axis]],
    step: volume.spacings[walk.through.axis],
    directions: [walk.right, walk.down].map(({ axis, sign }) =>
      volume.axes[axis].map((value) => value * sign)),
    oblique: Object.values(walk).some(({ axis }) => Math.max(...volume.axes[axis].map(Math.abs)) < 0.94),
  };
}

/** For each of the patient's axes, the axis of the volume that follows it best. */
function matched(axes) {
  const pairs = [];
  for (let axis = 0; axis < 3; axis++) {
    for (let patient = 0; patient < 3; patient++) {
      pairs.push({ axis, patient, match: Math.abs(axes[axis][patient]) });
    }
  }
  pairs.sort((a, b) => b.match - a.match);
  const found = [];
  const taken = new Set();
  for (const { axis, patient } of pairs) {
    if (found[patient] === undefined && !taken.has(axis)) {
      found[patient] = axis;
      taken.add(axis);
    }
  }
  return found;
}

/** One plane as rescaled values, row after row. Null while a frame is missing (see `missing`). */
export function slice(volume, walk, index) {
  const out = new Float32Array(walk.width * walk.height);
  const frames = range(volume, walk, index);
  if (frames.some((frame) => !frame.pixels)) return null;
  fill(volume, walk, index, out, false);
  return out;
}

/**
 * The greatest value of a slab of planes, a few planes at a time: the page stays alive.
 * Resolves to null when `stopped()` becomes true, or when pixels are missing.
 */
export async function project(volume, walk, from, to, stopped) {
  const out = new Float32Array(walk.width * walk.height).fill(-Infinity);
  let begun = performance.now();
  for (let index = from; index <= to; index++) {
    if (range(volume, walk, index).some((frame) => !frame.pixels)) return null;
    fill(volume, walk, index, out, true);
    if (performance.now() - begun > 24) {
      await new Promise((resume) => setTimeout(resume));
      if (stopped()) return null;
      begun = performance.now();
    }
  }
  return out;
}

/** The frames that a plane reads. */
export function range(volume, walk, index) {
  if (walk.through.axis !== 2) return volume.frames;
  return [volume.frames[at(walk.through, index, walk.count)]];
}

const at = ({ sign }, index, size) => (sign > 0 ? index : size - 1 - index);

function fill(volume, walk, index, out, greatest) {
  const columns = volume.columns;
  const { width, height } = walk;
  const strides = [1, columns, 0];
  const fixed = at(walk.through, index, walk.count);
  const base = walk.through.axis === 2 ? 0 : fixed * strides[walk.through.axis];
  // One of the two axes of the plane may be the one along which frames are piled.
  const acrossRows = walk.down.axis === 2;
  const acrossColumns = walk.right.axis === 2;
  const outer = acrossColumns ? width : height;
  const inner = acrossColumns ? height : width;
  const outerWay = acrossColumns ? walk.right : walk.down;
  const innerWay = acrossColumns ? walk.down : walk.right;
  const stride = strides[innerWay.axis] * innerWay.sign;
  const start = innerWay.sign > 0 ? 0 : (inner - 1) * strides[innerWay.axis];
  const outStride = acrossColumns ? width : 1;
  for (let line = 0; line < outer; line++) {
    const place = at(outerWay, line, outer);
    const frame = volume.frames[
      acrossRows || acrossColumns ? place : fixed
    ];
    const { pixels, plane: { slope, intercept } } = frame;
    let source = base + start + (acrossRows || acrossColumns ? 0 : place * strides[outerWay.axis]);
    let target = acrossColumns ? line : line * width;
    if (greatest) {
      for (let step = 0; step < inner; step++, source += stride, target += outStride) {
        const value = pixels[source] * slope + intercept;
        if (value > out[target]) out[target] = value;
      }
    } else {
      for (let step = 0; step < inner; step++, source += stride, target += outStride) {
        out[target] = pixels[source] * slope + intercept;
      }
    }
  }
}

/** The letter of the patient's side towards which a direction points; two when it is oblique. */
export function letters(direction) {
  const names = [["R", "L"], ["A", "P"], ["F", "H"]];
  return direction
    .map((value, axis) => ({ size: Math.abs(value), name: names[axis][value > 0 ? 1 : 0] }))
    .filter(({ size }) => size > 0.3)
    .sort((a, b) => b.size - a.size)
    .slice(0, 2)
    .map(({ name }) => name)
    .join("");
}

/** The letter of the opposite side. */
export const opposite = (text) =>
  Array.from(text, (one) => ({ R: "L", L: "R", A: "P", P: "A", F: "H", H: "F" })[one] ?? one).join("");

const dot = (a, b) => a.reduce((sum, value, axis) => sum + value * b[axis], 0);
const cross = (a, b) => [
  a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0],
];
const near = (a, b, tolerance) =>
  Array.isArray(a) && a.every((value, axis) => Math.abs(value - b[axis]) <= tolerance);
const mm = (value) => value.toFixed(2).replace(".", ",");
