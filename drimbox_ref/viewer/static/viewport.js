// One view: a stack or a plane of a series, how it is shown, and what mouse and wheel do to it.

import { around, corners, ruler, sides } from "./overlay.js";
import { project, range, slice, walkOf } from "./volume.js";
import { Table, extentOf, paintColours, paintStored, paintValues, presetsOf } from "./window.js";

const PLANES = { stack: "Images reçues", axial: "Axial", coronal: "Coronal", sagittal: "Sagittal" };
const SLOW_CINE = 15;

export class Viewport extends EventTarget {
  constructor(number) {
    super();
    this.table = new Table();
    this.source = document.createElement("canvas");
    this.series = null;
    this.build(number);
    this.reset();
    this.follow = () => this.changed();
    new ResizeObserver(() => this.draw()).observe(this.stage);
    this.listen();
  }

  build(number) {
    const part = (tag, name, attributes = {}) => {
      const node = document.createElement(tag);
      node.className = name;
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      return node;
    };
    this.element = part("section", "pane", { "aria-label": `Vue ${number}` });
    this.stage = part("div", "stage", {
      tabindex: "0", role: "img", "aria-label": `Vue ${number}, sans image`,
    });
    this.canvas = part("canvas", "image", { "aria-hidden": "true" });
    this.stage.append(this.canvas);
    this.corner = {};
    for (const name of ["patient", "study", "series", "view"]) {
      this.corner[name] = part("p", `corner at-${name}`);
    }
    this.letter = ["top", "right", "bottom", "left"].map((name) => part("span", `letter ${name}`));
    this.usage = part("p", "usage");
    this.usage.textContent = "Usage non diagnostique";
    this.scale = part("span", "ruler");
    this.message = part("p", "message");
    this.stage.append(...Object.values(this.corner), ...this.letter, this.usage, this.scale, this.message);
    this.slider = part("input", "slider", {
      type: "range", min: "1", max: "1", value: "1", "aria-label": `Image de la vue ${number}`,
    });
    this.bar = part("progress", "bar", { max: "100", value: "0", "aria-label": `Réception de la vue ${number}` });
    this.received = part("p", "received");
    this.element.append(this.stage, this.slider, this.bar, this.received);
    this.number = number;
  }

  /** Back to how a series opens; the series and the place stay. */
  reset() {
    Object.assign(this, { zoom: 1, pan: [0, 0], window: null, inverted: false });
    this.index ??= 0;
    this.plane ??= "stack";
    this.slab ??= "0";
    this.plates = null;
    this.changed();
  }

  open(series) {
    if (this.series === series) return;
    for (const type of ["frame", "progress"]) {
      this.series?.removeEventListener(type, this.follow);
      series.addEventListener(type, this.follow);
    }
    this.stop();
    this.series = series;
    Object.assign(this, { index: 0, plane: "stack", slab: "0" });
    this.reset();
  }

  // What there is to show

  get walk() {
    if (this.plane === "stack" || !this.series) return null;
    const volume = this.series.solid();
    return volume.ok ? walkOf(volume, this.plane) : null;
  }

  get count() {
    if (!this.series) return 0;
    return this.plane === "stack" ? this.series.frames.length : this.walk?.count ?? 0;
  }

  /** The frame shown, or the one that a plane borrows its texts from. */
  get frame() {
    const frames = this.series?.shown ?? [];
    return frames[this.plane === "stack" ? Math.min(this.index, frames.length - 1) : 0] ?? null;
  }

  /** The window in force. */
  get shownWindow() {
    const { frame } = this;
    if (!frame || frame.rgb) return null;
    if (this.window) return this.window;
    const [own] = presetsOf(frame);
    if (own) return own;
    // One extent for the series: another for each image would flicker.
    if (frame.pixels) this.series.extent ??= extentOf(frame.pixels, frame.plane);
    return this.series.extent ?? { center: 128, width: 256 };
  }

  get presets() {
    return this.frame && !this.frame.rgb ? presetsOf(this.frame) : [];
  }

  // What is done to it

  go(index) {
    const bounded = Math.max(0, Math.min(this.count - 1, index));
    if (bounded === this.index) return;
    const before = this.index;
    this.index = bounded;
    this.changed();
    this.dispatchEvent(new CustomEvent("scrolled", { detail: bounded - before }));
  }

  zoomBy(factor) {
    this.zoom = Math.max(0.1, Math.min(20, this.zoom * factor));
    this.changed();
  }

  panBy(x, y) {
    this.pan = [this.pan[0] + x, this.pan[1] + y];
    this.changed();
  }

  windowBy(center, width) {
    const now = this.shownWindow;
    if (!now) return;
    this.window = { name: "", center: now.center + center, width: Math.max(1, now.width + width) };
    this.changed();
  }

  setWindow(window) {
    this.window = window;
    this.changed();
  }

  /** Show the stack or a plane, in the middle of the volume. */
  setPlane(plane) {
    if (!this.series || plane === this.plane) return;
    this.stop();
    this.plane = plane;
    this.plates = null;
    this.index = plane === "stack" ? 0 : Math.floor((this.count || 1) / 2);
    Object.assign(this, { zoom: 1, pan: [0, 0] });
    this.changed();
  }

  setSlab(slab) {
    if (slab !== "0" && this.plane === "stack") this.setPlane("axial");
    this.slab = slab;
    this.plates = null;
    this.changed();
  }

  /** Play the frames of the instance shown, or all of the series; again to stop. */
  cine() {
    if (this.timer) return this.stop();
    if (this.count < 2) return;
    const period = (this.plane === "stack" && this.frame.image.frameTime) || 1000 / SLOW_CINE;
    const step = () => {
      const { frame } = this;
      const many = this.plane === "stack" && frame && frame.count > 1 && this.series.order === "arrival";
      const first = many ? this.index - (frame.number - 1) : 0;
      const last = many ? Math.min(this.count - 1, first + frame.count - 1) : this.count - 1;
      this.go(this.index >= last ? first : this.index + 1);
    };
    this.timer = setInterval(step, Math.max(16, period));
    this.dispatchEvent(new Event("state"));
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.dispatchEvent(new Event("state"));
  }

  // Drawing

  /** Draw at the next screen refresh, once, whatever happens until then. */
  changed() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      this.draw();
      this.dispatchEvent(new Event("state"));
    });
  }

  draw() {
    const { stage, canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    if (!width || !height) return;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    const context = canvas.getContext("2d", { alpha: false });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, wide, high);
    const picture = this.picture();
    this.say(picture);
    this.scale.hidden = true;
    if (!picture?.ready) return;
    const [down, right] = picture.spacing;
    const fit = Math.min(width / (picture.width * right), height / (picture.height * down));
    const scale = fit * this.zoom;
    this.screenScale = scale;
    const left = (width - picture.width * right * scale) / 2 + this.pan[0];
    const top = (height - picture.height * down * scale) / 2 + this.pan[1];
    this.placed = { left, top, x: right * scale, y: down * scale, picture };
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.source, left, top, picture.width * right * scale, picture.height * down * scale);
    this.lines(context);
    this.measure(picture, scale, right);
    if (!Viewport.painted) {
      Viewport.painted = true;
      requestAnimationFrame(() => setTimeout(() =>
        performance.mark("drimbox-first-painted", { detail: this.drawMs })));
    }
  }

  /** Paint what is shown at its own size in `source`; null when nothing is open. */
  picture() {
    const { frame } = this;
    if (!frame) return null;
    return this.plane === "stack" ? this.stacked(frame) : this.reformatted(frame);
  }

  stacked(frame) {
    const { rows, columns } = frame.image;
    const shape = {
      width: columns, height: rows, frame, sides: sides(frame),
      spacing: frame.plane.spacing ?? [1, 1], scaled: Boolean(frame.plane.spacing),
    };
    if (!frame.pixels) {
      this.series.again(frame);
      return { ...shape, ready: false };
    }
    this.series.memory.touch(frame);
    const begun = performance.now();
    this.paint(columns, rows, (out) => {
      if (frame.rgb) paintColours(frame.pixels, this.inverted, out);
      else {
        const flipped = this.inverted !== frame.image.inverted;
        paintStored(frame.pixels, this.table.set(frame.type, frame.plane, this.shownWindow, flipped), out);
      }
    });
    this.drawMs = performance.now() - begun;
    return { ...shape, ready: true };
  }

  reformatted(frame) {
    const volume = this.series.solid();
    if (!volume.ok) return { problem: volume.reason, frame, ready: false };
    const { walk } = this;
    this.index = Math.min(this.index, walk.count - 1);
    const shape = {
      width: walk.width, height: walk.height, frame, spacing: walk.spacing, scaled: true, walk,
      sides: around(...walk.directions),
    };
    const plate = this.plate(volume, walk);
    if (!plate) return { ...shape, ready: false };
    this.values = plate;
    this.paint(walk.width, walk.height, (out) =>
      paintValues(plate, this.shownWindow, this.inverted !== frame.image.inverted, out));
    return { ...shape, ready: true };
  }

  /** The values of the plane or of the projection shown; null while they are being made. */
  plate(volume, walk) {
    const half = this.slab === "all" ? walk.count : Math.round(Number(this.slab) / walk.step / 2);
    const from = Math.max(0, this.slab === "all" ? 0 : this.index - half);
    const to = Math.min(walk.count - 1, this.slab === "all" ? walk.count - 1 : this.index + half);
    const key = [this.plane, from, to].join();
    if (this.plates?.key === key && this.plates.volume === volume) return this.plates.values;
    const absent = new Set();
    for (let index = from; index <= to; index++) {
      for (const one of range(volume, walk, index)) if (!one.pixels) absent.add(one);
    }
    if (absent.size) {
      for (const one of [...absent].slice(0, 6)) this.series.again(one);
      return null;
    }
    if (from === to) {
      const values = slice(volume, walk, from);
      this.plates = { key, volume, values };
      return values;
    }
    const last = this.plates?.values ?? null;
    this.plates = { key, volume, values: last?.length === walk.width * walk.height ? last : null };
    const mine = this.plates;
    project(volume, walk, from, to, () => this.plates !== mine).then((values) => {
      if (this.plates !== mine || !values) return;
      mine.values = values;
      this.changed();
    });
    return mine.values;
  }

  paint(width, height, fill) {
    const { source } = this;
    if (source.width !== width || source.height !== height || !this.data) {
      [source.width, source.height] = [width, height];
      this.context = source.getContext("2d");
      this.data = this.context.createImageData(width, height);
      this.words = new Uint32Array(this.data.data.buffer);
    }
    fill(this.words);
    this.context.putImageData(this.data, 0, 0);
  }

  /** Where the other planes of the same volume cut this one. */
  lines(context) {
    const { walk } = this.placed.picture;
    if (!walk) return;
    const { left, top, x, y, picture } = this.placed;
    context.lineWidth = 1;
    for (const other of this.others?.() ?? []) {
      if (other === this || other.series !== this.series || !other.walk) continue;
      const cut = other.walk.through;
      const index = cut.sign > 0 ? other.index : other.walk.count - 1 - other.index;
      context.strokeStyle = { axial: "#ffb000", coronal: "#7dd87d", sagittal: "#6fb7ff" }[other.plane];
      context.beginPath();
      if (cut.axis === walk.right.axis) {
        const column = walk.right.sign > 0 ? index : picture.width - 1 - index;
        const at = left + (column + 0.5) * x;
        context.moveTo(at, top);
        context.lineTo(at, top + picture.height * y);
      } else if (cut.axis === walk.down.axis) {
        const row = walk.down.sign > 0 ? index : picture.height - 1 - index;
        const at = top + (row + 0.5) * y;
        context.moveTo(left, at);
        context.lineTo(left + picture.width * x, at);
      }
      context.stroke();
    }
  }

  measure(picture, scale) {
    const drawn = picture.scaled ? ruler(scale) : null;
    this.scale.hidden = !drawn;
    if (!drawn) return;
    this.scale.style.setProperty("width", `${drawn.pixels}px`);
    this.scale.textContent = drawn.mm >= 10 ? `${drawn.mm / 10} cm` : `${drawn.mm} mm`;
  }

  // Texts

  say(picture) {
    const { series } = this;
    const problem = picture?.problem
      ?? (series?.failure || (series && !picture && series.state === "ended" && (series.unshown[0] ?? "Aucune image.")) || "");
    write(this.message, problem || (series && !picture ? "En attente de la première image…" : ""));
    this.message.classList.toggle("bad", Boolean(problem));
    this.message.classList.toggle("aside", Boolean(picture?.ready));
    write(this.received, series ? [series.progress(), series.unshown.length ? `${series.unshown.length} image(s) non affichable(s)` : ""].filter(Boolean).join(" · ") : "");
    this.bar.value = series?.percent ?? 0;
    this.bar.hidden = !series || series.state !== "loading";
    const count = Math.max(1, this.count);
    this.slider.max = String(count);
    this.slider.value = String(this.index + 1);
    this.slider.disabled = count < 2;
    const frame = picture?.frame;
    const place = frame ? this.place(frame) : "";
    const lines = frame ? corners(frame, {
      plane: this.plane, place, window: this.shownWindow, inverted: this.inverted, zoom: this.zoom,
      value: this.under ?? "", thickness: this.slab === "0" ? "" : `MIP ${this.slab === "all" ? "entière" : `${this.slab} mm`}`,
    }) : { patient: [], study: [], series: [], view: [] };
    for (const [name, node] of Object.entries(this.corner)) {
      write(node, lines[name].filter(Boolean).join("\n"));
    }
    const around = picture?.sides ?? ["", "", "", ""];
    this.letter.forEach((node, index) => write(node, around[index]));
    const label = `Vue ${this.number} : ${frame ? [series.exam.title, series.label, place].filter(Boolean).join(", ") : problem || "sans image"}`;
    if (this.stage.getAttribute("aria-label") !== label) this.stage.setAttribute("aria-label", label);
    this.slider.setAttribute("aria-valuetext", place || "aucune image");
    if (this.place.length && frame) this.element.dataset.index = String(this.index + 1);
    this.element.dataset.plane = this.plane;
    this.element.dataset.ready = picture?.ready ? "yes" : "no";
  }

  place(frame) {
    if (this.plane !== "stack") {
      return `${PLANES[this.plane]}${this.walk?.oblique ? " (oblique)" : ""} ${this.index + 1}/${this.count}`;
    }
    const total = Math.max(this.count, frame.count > 1 ? this.count : this.series.total);
    const many = frame.count > 1 ? `, vue ${frame.number}/${frame.count}` : "";
    const own = frame.image.number ? ` (n° ${frame.image.number}${many})` : many;
    return `Image ${this.index + 1}/${total}${own}`;
  }

  // Mouse and wheel

  listen() {
    const { stage } = this;
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.ctrlKey) this.zoomBy(event.deltaY < 0 ? 1.15 : 1 / 1.15);
      else this.go(this.index + Math.sign(event.deltaY));
    }, { passive: false });
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    let last = null;
    let carried = 0;
    let step = 1; // of the window, for one pixel: the same there and back
    stage.addEventListener("pointerdown", (event) => {
      stage.setPointerCapture(event.pointerId);
      last = [event.clientX, event.clientY];
      carried = 0;
      step = Math.max(0.1, (this.shownWindow?.width ?? 256) / 300);
      stage.focus();
      event.preventDefault();
    });
    const end = () => { last = null; };
    stage.addEventListener("pointerup", end);
    stage.addEventListener("pointercancel", end);
    stage.addEventListener("pointermove", (event) => {
      if (!last) return this.probe(event);
      const [x, y] = [event.clientX - last[0], event.clientY - last[1]];
      last = [event.clientX, event.clientY];
      const tool = event.buttons & 4 ? "pan" : event.buttons & 2 ? "zoom" : this.tool();
      if (tool === "pan") this.panBy(x, y);
      else if (tool === "zoom") this.zoomBy(1.01 ** -y);
      else if (tool === "window") this.windowBy(y * step, x * step);
      else {
        carried += y;
        const steps = Math.trunc(carried / 4);
        if (steps) {
          carried -= steps * 4;
          this.go(this.index + steps);
        }
      }
    });
    stage.addEventListener("pointerleave", () => { this.under = ""; });
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value) - 1));
  }

  /** The value under the mouse. */
  probe(event) {
    const { placed, frame } = this;
    if (!placed || !frame || frame.rgb) return;
    const box = this.stage.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - placed.left) / placed.x);
    const row = Math.floor((event.clientY - box.top - placed.top) / placed.y);
    const { width, height } = placed.picture;
    const inside = column >= 0 && row >= 0 && column < width && row < height;
    const at = row * width + column;
    const value = !inside ? undefined : this.plane !== "stack" ? this.values?.[at]
      : frame.pixels && frame.pixels[at] * frame.plane.slope + frame.plane.intercept;
    const unit = frame.image.unit || (frame.image.modality === "CT" ? "HU" : "");
    const said = value === undefined || value === null ? "" : `${Math.round(value)} ${unit}`.trim();
    if (said !== this.under) {
      this.under = said;
      this.changed();
    }
  }
}

/** Change a text only where it changes: what reads the page aloud is told once. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
