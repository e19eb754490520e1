// The page: series tree, views, tools, keyboard. Everything else is a module of its own.

import { Memory } from "./memory.js";
import { presence } from "./presence.js";
import { EXPIRED, Series } from "./series.js";
import { Viewport } from "./viewport.js";
import { thumbnail } from "./thumbnail.js";

const told = JSON.parse(document.getElementById("data").textContent);
const by = (id) => document.getElementById(id);
const memory = new Memory();
const panes = by("panes");
const exams = told.exams.map((exam) => {
  const shown = { key: exam.key, title: exam.title, date: exam.date };
  shown.series = exam.series.map((series) => new Series(series, shown, memory));
  return shown;
});
const every = exams.flatMap((exam) => exam.series);
const views = [];
let active = null;

// Views -----------------------------------------------------------------------------------------

function view(index) {
  while (views.length <= index) {
    const made = new Viewport(views.length + 1);
    made.tool = () => document.querySelector("input[name=drag]:checked").value;
    made.others = () => views.slice(0, shownViews());
    made.addEventListener("state", () => { if (made === active) tell(); });
    made.addEventListener("scrolled", ({ detail }) => follow(made, detail));
    made.element.addEventListener("focusin", () => activate(made));
    made.element.addEventListener("pointerdown", () => activate(made));
    views.push(made);
  }
  return views[index];
}

const shownViews = () => ({ 1: 1, 2: 2, mpr: 3 })[by("layout").value];

function activate(made) {
  if (active === made) return;
  active?.element.classList.remove("active");
  active = made;
  made.element.classList.add("active");
  tell();
}

/** Show one, two or three views; what a view showed stays in it. */
function lay(layout) {
  by("layout").value = layout;
  panes.dataset.layout = layout;
  const count = shownViews();
  const kept = active?.series ?? views[0]?.series;
  panes.replaceChildren(...Array.from({ length: count }, (_, index) => view(index).element));
  if (layout === "mpr") {
    for (const [index, plane] of ["axial", "coronal", "sagittal"].entries()) {
      const one = view(index);
      if (kept && one.series !== kept) one.open(kept);
      one.setPlane(plane);
      one.changed();
    }
  } else {
    for (const one of views.slice(0, count)) {
      if (one.plane !== "stack" && layout === "2") one.setPlane("stack");
      one.changed();
    }
    if (count === 2 && !view(1).series) activate(view(1));
  }
  if (!active || views.indexOf(active) >= count) activate(view(0));
  mark();
}

/** What the other views do when one scrolls, if the user has linked them. */
let following = false;
function follow(moved, step) {
  for (const other of views.slice(0, shownViews())) if (other !== moved) other.changed();
  if (!by("link").checked || following || by("layout").value === "mpr") return;
  following = true;
  for (const other of views.slice(0, shownViews())) {
    if (other === moved || !other.series) continue;
    const place = facing(moved, other);
    other.go(place ?? other.index + step);
  }
  following = false;
}

/** The image of another view at the same place of the same patient, or null. */
function facing(moved, other) {
  const { frame } = moved;
  if (moved.plane !== other.plane) return null;
  if (moved.plane !== "stack") return null;
  const { position, orientation } = frame?.plane ?? {};
  const same = other.frame?.image.frameOfReference;
  if (!position || !orientation || !same || same !== frame.image.frameOfReference) return null;
  const [a, b] = [orientation.slice(0, 3), orientation.slice(3)];
  const normal = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const along = (one) => normal.reduce((sum, value, axis) => sum + value * one[axis], 0);
  let best = null;
  let least = Infinity;
  for (const [index, one] of other.series.shown.entries()) {
    if (!one.plane.position) return null;
    const far = Math.abs(along(one.plane.position) - along(position));
    if (far < least) [best, least] = [index, far];
  }
  return best;
}

// Series tree -----------------------------------------------------------------------------------

function open(series, into = active) {
  into.open(series);
  series.load();
  if (by("layout").value === "mpr") {
    for (const [index, plane] of ["axial", "coronal", "sagittal"].entries()) {
      view(index).open(series);
      view(index).setPlane(plane);
    }
  }
  mark();
  tell();
}

const buttonOf = (series) => document.querySelector(
  `[data-exam="${CSS.escape(series.exam.key)}"] [data-series="${CSS.escape(series.uid)}"]`,
);

/** Say in the tree which series are shown. */
function mark() {
  const shown = new Set(views.slice(0, shownViews()).map((one) => one.series));
  for (const series of every) {
    const button = buttonOf(series);
    if (shown.has(series)) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

for (const series of every) {
  const button = buttonOf(series);
  button.addEventListener("click", (event) => {
    open(series);
    // Who clicked goes on with the image; who pressed a key goes on in the tree.
    if (event.detail) active.stage.focus();
  });
  const count = button.querySelector(".count");
  const own = count.textContent;
  series.addEventListener("frame", () => {
    if (series.frames.length === 1) thumbnail(button.querySelector(".thumb"), series.frames[0]);
  });
  series.addEventListener("progress", () => {
    if (series.failure) complain(series);
    if (series.state !== "ended") return;
    const middle = series.frames[series.frames.length >> 1];
    if (middle?.pixels) thumbnail(button.querySelector(".thumb"), middle);
  });
  for (const type of ["frame", "progress"]) {
    series.addEventListener(type, () => {
      const text = series.failure ? "échec" : series.state === "loading" ? `${series.percent} %`
        : series.state === "ended" ? `${own}, reçue` : own;
      if (count.textContent !== text) count.textContent = text;
      button.classList.toggle("failed", Boolean(series.failure));
    });
  }
}

for (const exam of exams) {
  const section = document.querySelector(`[data-exam="${CSS.escape(exam.key)}"]`);
  section.querySelector(".all")?.addEventListener("click", async () => {
    // One after the other; one that fails does not stop the others.
    for (const series of exam.series) await series.load();
  });
}

/** A series failed: said once, aloud; others go on (DB.VI-CO.27). */
function complain(series) {
  const id = `alert-${every.indexOf(series)}`;
  by(id)?.remove();
  const line = document.createElement("p");
  line.id = id;
  line.textContent = `${series.exam.title}, ${series.label} : ${series.failure} `;
  const again = document.createElement("button");
  again.textContent = "Réessayer";
  again.addEventListener("click", () => { line.remove(); series.load(); });
  line.append(again);
  by("alerts").append(line);
}

/** The login has ended: what is here may still be looked at. */
function expired() {
  if (by("alert-login")) return;
  const line = document.createElement("p");
  line.id = "alert-login";
  line.textContent = EXPIRED;
  by("alerts").append(line);
}

// Tools -----------------------------------------------------------------------------------------

/** Tools say how the active view is. */
function tell() {
  if (!active) return;
  const presets = active.presets;
  const list = by("preset");
  const key = JSON.stringify(presets);
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    list.replaceChildren(
      new Option("À la main", ""),
      ...presets.map(({ name, center, width }, index) => new Option(`${name} (C ${center}, L ${width})`, String(index))),
    );
  }
  const now = active.shownWindow;
  const found = presets.findIndex(({ center, width }) => now?.center === center && now?.width === width);
  list.value = found < 0 ? "" : String(found);
  list.disabled = !presets.length;
  by("plane").value = active.plane;
  by("slab").value = active.slab;
  by("invert").setAttribute("aria-pressed", String(active.inverted));
  by("cine").setAttribute("aria-pressed", String(Boolean(active.timer)));
}

function preset(index) {
  const chosen = active.presets[index];
  if (chosen) active.setWindow(chosen);
}

/** A plane of a series that makes no volume is refused with its reason, in the view itself. */
function plane(name) {
  active.setPlane(name);
}

/** The three planes of a volume are projected together. */
function slab(thickness) {
  const together = by("layout").value === "mpr" ? views.slice(0, shownViews()) : [active];
  for (const one of together) one.setSlab(thickness);
}

function nextView() {
  const count = shownViews();
  view((views.indexOf(active) + 1) % count).stage.focus();
}

const cycle = (id) => {
  const list = by(id);
  list.selectedIndex = (list.selectedIndex + 1) % list.options.length;
  return list.value;
};

function reset() {
  active.stop();
  active.setPlane("stack");
  active.setSlab("0");
  active.reset();
}

function order() {
  if (!active.series) return;
  active.series.order = active.series.order === "arrival" ? "anatomical" : "arrival";
  by("said").textContent = active.series.order === "arrival"
    ? "Images dans l'ordre de la Source" : "Images dans l'ordre anatomique";
  active.changed();
}

function link(checked) {
  by("link").checked = checked;
  by("said").textContent = checked ? "Vues liées" : "Vues déliées";
}

by("preset").addEventListener("change", ({ target }) => { if (target.value) preset(Number(target.value)); });
by("plane").addEventListener("change", ({ target }) => plane(target.value));
by("slab").addEventListener("change", ({ target }) => slab(target.value));
by("layout").addEventListener("change", ({ target }) => lay(target.value));
by("cine").addEventListener("click", () => active.cine());
by("invert").addEventListener("click", () => invert());
by("reset").addEventListener("click", () => reset());
by("help-open").addEventListener("click", () => by("help").showModal());

function invert() {
  active.inverted = !active.inverted;
  active.changed();
}

// Keyboard --------------------------------------------------------------------------------------

const KEYS = {
  ArrowUp: () => active.go(active.index - 1),
  ArrowLeft: () => active.go(active.index - 1),
  ArrowDown: () => active.go(active.index + 1),
  ArrowRight: () => active.go(active.index + 1),
  PageUp: () => active.go(active.index - 10),
  PageDown: () => active.go(active.index + 10),
  Home: () => active.go(0),
  End: () => active.go(active.count - 1),
  "+": () => active.zoomBy(1.15),
  "=": () => active.zoomBy(1.15),
  "-": () => active.zoomBy(1 / 1.15),
  0: () => { Object.assign(active, { zoom: 1, pan: [0, 0] }); active.changed(); },
  c: () => active.windowBy(-10, 0),
  C: () => active.windowBy(10, 0),
  l: () => active.windowBy(0, -20),
  L: () => active.windowBy(0, 20),
  i: invert,
  p: () => plane("stack"),
  a: () => plane("axial"),
  f: () => plane("coronal"),
  s: () => plane("sagittal"),
  m: () => slab(cycle("slab")),
  d: () => lay(cycle("layout")),
  v: nextView,
  k: () => link(!by("link").checked),
  o: order,
  r: reset,
  " ": () => active.cine(),
  "?": () => by("help").showModal(),
};
for (let number = 1; number <= 9; number++) KEYS[number] = () => preset(number - 1);
const SHIFTED = {
  ArrowUp: () => active.panBy(0, -20),
  ArrowDown: () => active.panBy(0, 20),
  ArrowLeft: () => active.panBy(-20, 0),
  ArrowRight: () => active.panBy(20, 0),
};

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || !active || by("help").open) return;
  if (target.matches("select, input") || (target.matches("button, a, summary") && [" ", "Enter"].includes(key))) return;
  const act = (event.shiftKey && SHIFTED[key]) || KEYS[key];
  if (!act) return;
  event.preventDefault();
  act();
});

// Opening ---------------------------------------------------------------------------------------

lay("1");
const first = exams.find(({ key }) => key === told.exam)?.series.find(({ uid }) => uid === told.first);
if (first) open(first, view(0));
if (told.alive) presence(told.alive, expired);
