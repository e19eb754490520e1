// A small picture of a frame for the series tree.

import { Table, extentOf, paintColours, paintStored, presetsOf } from "./window.js";

/** Draw a frame into a small canvas, its proportions kept. */
export function thumbnail(canvas, frame) {
  const { rows, columns } = frame.image;
  const whole = new OffscreenCanvas(columns, rows);
  const context = whole.getContext("2d");
  const data = context.createImageData(columns, rows);
  const words = new Uint32Array(data.data.buffer);
  if (frame.rgb) paintColours(frame.pixels, false, words);
  else {
    const window = presetsOf(frame)[0] ?? extentOf(frame.pixels, frame.plane);
    paintStored(frame.pixels, new Table().set(frame.type, frame.plane, window, frame.image.inverted), words);
  }
  context.putImageData(data, 0, 0);
  const [down, right] = frame.plane.spacing ?? [1, 1];
  const scale = Math.min(canvas.width / (columns * right), canvas.height / (rows * down));
  const [width, height] = [columns * right * scale, rows * down * scale];
  const small = canvas.getContext("2d");
  small.fillStyle = "#000";
  small.fillRect(0, 0, canvas.width, canvas.height);
  small.imageSmoothingQuality = "high";
  small.drawImage(whole, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}
