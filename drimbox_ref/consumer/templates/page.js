// Reloads the page when the state of an export has changed: the page itself says everything.
"use strict";
const states = () =>
  JSON.stringify(
    Array.from(document.querySelectorAll("[id^=export-etat-]"), (node) => node.dataset.state),
  );
const shown = states();
const active = shown.includes("waiting") || shown.includes("running");
async function look() {
  const answer = await fetch(location.pathname + "/exports", { cache: "no-store" });
  if (!answer.ok) return;
  const { exports } = await answer.json();
  if (JSON.stringify(exports.map((one) => one.state)) !== shown) return location.reload();
  for (const one of exports) {
    const node = document.getElementById("export-etat-" + one.exam);
    if (node) node.textContent = one.text;
  }
  setTimeout(look, 1000);
}
if (active) setTimeout(look, 1000);
