// What is written on each image (DB.VI-CS.25): who, which exam, which image, how it is shown.

import { letters, opposite } from "./volume.js";

const name = (text) => text.split("^").filter(Boolean).join(" ");
const date = (text) => (/^\d{8}$/.test(text) ? `${text.slice(6)}/${text.slice(4, 6)}/${text.slice(0, 4)}` : text);
const time = (text) => (/^\d{4}/.test(text) ? `${text.slice(0, 2)}:${text.slice(2, 4)}` : "");
const number = (value, digits = 0) =>
  Number(value).toLocaleString("fr-FR", { maximumFractionDigits: digits, useGrouping: false });
const SIDES = { L: "Gauche", R: "Droite", B: "Bilatéral", U: "Impair" };

/** Lines of the four corners for one frame. */
export function corners(frame, view) {
  const { image } = frame;
  const side = SIDES[image.imageLaterality || image.laterality] ?? "";
  const lossy = image.lossy === "01"
    ? `Compression avec pertes${image.ratio ? ` (${image.ratio.split("\\").map((one) => `${number(one, 1)}:1`).join(", ")})` : ""}`
    : "";
  return {
    patient: [
      name(image.patientName), image.patientId && `ID ${image.patientId}`,
      [date(image.birthDate), image.sex].filter(Boolean).join(" "),
    ],
    study: [
      image.institution, image.studyDescription,
      [date(image.studyDate), time(image.studyTime)].filter(Boolean).join(" "),
      image.accession && `N° ${image.accession}`,
    ],
    series: [
      [image.modality, image.seriesNumber && `série ${image.seriesNumber}`].filter(Boolean).join(" "),
      image.seriesDescription, [image.bodyPart, side].filter(Boolean).join(" "),
      view.place,
      view.plane === "stack" ? [
        image.sliceLocation && `Position ${number(image.sliceLocation, 1)} mm`,
        image.sliceThickness && `épaisseur ${number(image.sliceThickness, 2)} mm`,
      ].filter(Boolean).join(", ") : view.thickness,
      lossy,
    ],
    view: [
      view.value,
      view.window && `C ${number(view.window.center, 1)}  L ${number(view.window.width, 1)}` + (view.inverted ? " (inversé)" : ""),
      `Zoom ${number(view.zoom * 100)} %`,
    ],
  };
}

/** Letters at the top, right, bottom and left of a frame of the stack. */
export function sides(frame) {
  const o = frame.plane.orientation;
  if (o) return around(o.slice(0, 3), o.slice(3));
  const [right, down] = frame.image.patientOrientation.split("\\");
  if (!right || !down) return ["", "", "", ""];
  return [opposite(down), right, down, opposite(right)];
}

/** The same for two directions of the patient's axes. */
export function around(rightward, downward) {
  const [right, down] = [letters(rightward), letters(downward)];
  return [opposite(down), right, down, opposite(right)];
}

/** A length in mm that draws between 60 and 160 pixels, `{mm, pixels}`, or null without scale. */
export function ruler(pixelsPerMm) {
  if (!pixelsPerMm || !Number.isFinite(pixelsPerMm)) return null;
  for (const mm of [200, 100, 50, 20, 10, 5, 2, 1]) {
    const pixels = mm * pixelsPerMm;
    if (pixels <= 160 && (pixels >= 60 || mm === 1)) return { mm, pixels };
  }
  return { mm: 200, pixels: 200 * pixelsPerMm };
}
