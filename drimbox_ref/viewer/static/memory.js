// Pixels held by the page: at most a budget, the frames used longest ago leave first.

export const BUDGET = 1024 * 1024 * 1024;

export class Memory {
  /** `budget` is in bytes, over all series. */
  constructor(budget = BUDGET) {
    this.budget = budget;
    this.used = 0;
    this.held = new Set(); // in the order of use
  }

  /** Hold the pixels of a frame. */
  keep(frame, pixels) {
    if (frame.pixels) this.used -= frame.pixels.byteLength;
    this.held.delete(frame);
    frame.pixels = pixels;
    this.held.add(frame);
    this.used += pixels.byteLength;
    for (const oldest of this.held) {
      if (this.used <= this.budget || oldest === frame) break;
      this.drop(oldest);
    }
  }

  /** The frame is in use now. */
  touch(frame) {
    if (this.held.delete(frame)) this.held.add(frame);
  }

  drop(frame) {
    if (!this.held.delete(frame)) return;
    this.used -= frame.pixels.byteLength;
    frame.pixels = null;
  }
}
