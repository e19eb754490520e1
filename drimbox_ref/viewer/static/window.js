// Window width and level: from values to shades of grey (DICOM PS3.3 C.11.2.1).

/** Windows that readers expect by modality; the image's own come before them. */
const PRESETS = {
  CT: [
    { name: "Médiastin", center: 40, width: 400 },
    { name: "Poumon", center: -600, width: 1500 },
    { name: "Os", center: 400, width: 1800 },
    { name: "Abdomen", center: 60, width: 360 },
    { name: "Cerveau", center: 40, width: 80 },
  ],
  PT: [{ name: "SUV 0 à 10 (si en SUV)", center: 5, width: 10 }],
};

/** The windows that may be chosen for a frame: its own, those of its modality. */
export function presetsOf(frame) {
  const own = frame.plane.windows.map((window, index) => ({
    ...window, name: window.name || (index ? `Image ${index + 1}` : "Image"),
  }));
  return [...own, ...(PRESETS[frame.image.modality] ?? [])];
}

/** The window of a frame that has none: all its values. */
export function extentOf(pixels, { slope, intercept }) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of pixels) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  [low, high] = [low * slope + intercept, high * slope + intercept].sort((a, b) => a - b);
  return { name: "Étendue", center: (low + high) / 2, width: Math.max(1, high - low) };
}

/** A function from a rescaled value to 0–255. */
function shade({ center, width }, kind) {
  if (kind === "SIGMOID") return (value) => 255 / (1 + Math.exp((-4 * (value - center)) / width));
  const exact = kind === "LINEAR_EXACT" || width <= 1;
  const span = exact ? Math.max(width, 1e-6) : width - 1;
  const middle = exact ? center : center - 0.5;
  return (value) => ((value - middle) / span + 0.5) * 255;
}

const OPAQUE = 0xff000000;
const grey = (value) => OPAQUE | (value << 16) | (value << 8) | value;

/** A table from stored values to pixels, and where its zero is. */
export class Table {
  constructor() {
    this.key = "";
    this.entries = null;
    this.offset = 0;
  }

  /** Make it that of a window, unless it is already. */
  set(type, plane, window, inverted) {
    const { slope, intercept, function: kind } = plane;
    const key = [type, slope, intercept, kind, window.center, window.width, inverted].join();
    if (key === this.key) return this;
    this.key = key;
    this.offset = type === "int16" ? 32768 : 0;
    this.entries = new Uint32Array(type === "uint8" ? 256 : 65536);
    const shaded = shade(window, kind);
    const clamp = new Uint8ClampedArray(1);
    for (let index = 0; index < this.entries.length; index++) {
      clamp[0] = shaded((index - this.offset) * slope + intercept);
      this.entries[index] = grey(inverted ? 255 - clamp[0] : clamp[0]);
    }
    return this;
  }
}

/** Paint stored values through a table. */
export function paintStored(pixels, table, out) {
  const { entries, offset } = table;
  for (let index = 0; index < out.length; index++) out[index] = entries[pixels[index] + offset];
}

/** Paint values that are rescaled already. */
export function paintValues(values, window, inverted, out) {
  const shaded = shade(window, "LINEAR");
  const clamp = new Uint8ClampedArray(1);
  for (let index = 0; index < out.length; index++) {
    clamp[0] = shaded(values[index]);
    out[index] = grey(inverted ? 255 - clamp[0] : clamp[0]);
  }
}

/** Paint red, green and blue bytes. */
export function paintColours(pixels, inverted, out) {
  const flip = inverted ? 0x00ffffff : 0;
  for (let index = 0, from = 0; index < out.length; index++, from += 3) {
    out[index] = (OPAQUE | (pixels[from + 2] << 16) | (pixels[from + 1] << 8) | pixels[from]) ^ flip;
  }
}
