// One series: its frames as they arrive, what they are, how far the transfer is.

import { records } from "./records.js";
import { volumeOf } from "./volume.js";

const ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, int16: Int16Array, rgb: Uint8Array };
export const EXPIRED = "Votre session est terminée : revenez aux examens et reconnectez-vous.";

export class Series extends EventTarget {
  constructor(told, exam, memory) {
    super();
    Object.assign(this, told, { exam, memory });
    this.frames = []; // in the order of arrival
    this.images = 0;
    this.total = told.count;
    this.unshown = []; // messages
    this.failure = "";
    this.state = "idle"; // then loading, ended
    this.order = "arrival";
    this.sorted = null;
    this.begun = 0;
  }

  /** Frames in the order that the user chose. */
  get shown() {
    if (this.order === "arrival") return this.frames;
    this.sorted ??= anatomical(this.frames);
    return this.sorted;
  }

  /** Percentage of images received (DB.VI-CS.18). */
  get percent() {
    return this.total ? Math.min(100, Math.floor((100 * this.images) / this.total)) : 100;
  }

  /** What is left, in plain French. */
  progress() {
    if (this.failure) return `Échec : ${this.images} image(s) sur ${this.total}`;
    if (this.state === "idle") return "";
    if (this.state === "ended") {
      return `${this.images} image(s) reçue(s), 100 %`;
    }
    const left = this.total - this.images;
    const spent = (performance.now() - this.begun) / 1000;
    const rest = this.images && spent > 1 ? Math.ceil((spent / this.images) * left) : 0;
    return `${this.percent} % reçus, ${left} image(s) à venir` + (rest ? `, environ ${rest} s` : "");
  }

  /** Take the whole series; once only, unless it failed. Others go on when this one fails. */
  async load() {
    if (this.state === "loading" || (this.state === "ended" && !this.failure)) return;
    this.state = "loading";
    this.failure = "";
    this.clear();
    this.begun = performance.now();
    this.tell("progress");
    try {
      const response = await fetch(`${this.address}/stream`, { cache: "no-store" });
      if (!response.ok) throw new Refused(await said(response));
      for await (const { head, pixels } of records(response)) {
        this.take(head, pixels);
        if (this.frames.length === 1) await painted();
      }
      if (!this.complete && !this.failure) this.failure = "Transfert interrompu.";
      performance.mark("drimbox-series-received", {
        detail: {
          images: this.images,
          decodeMs: this.frames.reduce((sum, frame) => sum + frame.decodeMs, 0),
          bytes: this.received,
        },
      });
    } catch (error) {
      this.failure = error instanceof Refused ? error.message
        : "Connexion à la DRIMbox interrompue : rouvrez la série.";
    }
    this.state = "ended";
    this.tell("progress");
  }

  /** Forget every image. */
  clear() {
    for (const frame of this.frames) this.memory.drop(frame);
    Object.assign(this, { frames: [], images: 0, sorted: null, unshown: [], volume: undefined, received: 0 });
  }

  take(head, pixels) {
    this.total = head.total ?? this.total;
    if (head.type === "frame") {
      if (head.description) this.current = head.description;
      const first = this.frames.length === 0;
      if (first) performance.mark("drimbox-first-received", { detail: head.decodeMs });
      const frame = frameOf(head, this.current);
      frame.decodeMs = head.decodeMs;
      this.frames.push(frame);
      this.sorted = null;
      this.volume = undefined;
      this.images = head.rank;
      this.received += pixels.byteLength;
      this.memory.keep(frame, new ARRAYS[head.pixels](pixels));
      this.tell("frame");
    } else if (head.type === "unshown") {
      this.images = head.rank;
      this.unshown.push(head.message);
      this.tell("progress");
    } else if (head.type === "failure") {
      this.failure = head.message;
      if (head.erased) this.clear();
    } else if (head.type === "end") {
      this.complete = true;
    }
  }

  /** Ask again for pixels that left the memory. */
  async again(frame) {
    if (frame.pixels || frame.asked) return;
    frame.asked = true;
    try {
      const response = await fetch(
        `${this.address}/instances/${frame.sop}/frames/${frame.number}`, { cache: "no-store" },
      );
      if (!response.ok) throw new Refused(await said(response));
      this.memory.keep(frame, new ARRAYS[frame.type](await response.arrayBuffer()));
    } catch (error) {
      this.failure = error instanceof Refused ? error.message : "Connexion à la DRIMbox interrompue.";
    }
    frame.asked = false;
    this.tell("frame");
  }

  /** `{ok, reason, …}`: the volume that the frames make, or why they make none. */
  solid() {
    if (this.state !== "ended") return { ok: false, reason: "La série n'est pas encore entière." };
    this.volume ??= volumeOf(this.frames);
    return this.volume;
  }

  tell(type) {
    this.dispatchEvent(new Event(type));
  }
}

/** Once the screen was refreshed, or soon in a tab that is not seen. */
const painted = () => new Promise((resume) => {
  requestAnimationFrame(() => setTimeout(resume));
  setTimeout(resume, 50);
});

class Refused extends Error {}

/** The French sentence of a refusal. */
async function said(response) {
  if (response.status === 401) return EXPIRED;
  const body = await response.json().catch(() => null);
  return body?.message ?? `Réponse ${response.status} de la DRIMbox.`;
}

/** One frame: its pixels come and go, the rest stays. */
function frameOf(head, description) {
  const { frames, ...image } = description;
  return {
    sop: head.sop,
    number: head.frame,
    count: head.frames,
    rank: head.rank,
    type: head.pixels,
    rgb: head.pixels === "rgb",
    image,
    plane: frames[head.frame - 1],
    pixels: null,
  };
}

/** By place along the normal of the first image, else by number; arrival decides ties. */
function anatomical(frames) {
  const o = frames[0]?.plane.orientation;
  const normal = o && [
    o[1] * o[5] - o[2] * o[4], o[2] * o[3] - o[0] * o[5], o[0] * o[4] - o[1] * o[3],
  ];
  const place = (frame) =>
    normal && frame.plane.position
      ? -normal.reduce((sum, value, axis) => sum + value * frame.plane.position[axis], 0)
      : Number(frame.image.number) || 0;
  return frames.slice().sort((a, b) => place(a) - place(b));
}
