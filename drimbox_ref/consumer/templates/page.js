// Follows what goes on behind the page: the search in the DMP, then the exports.
// The server says everything; this replaces the parts that changed, and nothing else.
"use strict";
const parts = ["alertes", "resultats", "traits"];

async function refresh() {
  const answer = await fetch(location.pathname, { cache: "no-store" });
  if (!answer.ok || answer.redirected) return location.reload();
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of parts) {
    const old = document.getElementById(id);
    const now = fresh.getElementById(id);
    if (!old || !now) return location.reload();
    if (id === "traits") now.open = old.open;
    old.replaceWith(now);
  }
  follow();
}

const nodes = () => Array.from(document.querySelectorAll("[id^=export-etat-]"));
const states = () => JSON.stringify(nodes().map((node) => node.dataset.state));

async function followExports() {
  const shown = states();
  const answer = await fetch(location.pathname + "/exports", { cache: "no-store" });
  if (!answer.ok) return;
  const { exports } = await answer.json();
  if (JSON.stringify(exports.map((one) => one.state)) !== shown) return refresh();
  for (const one of exports) {
    const node = document.getElementById("export-etat-" + one.exam);
    if (node) node.textContent = one.text;
  }
  setTimeout(followExports, 1000);
}

async function followSearch() {
  const answer = await fetch(location.pathname + "/state", { cache: "no-store" });
  if (!answer.ok) return location.reload();
  const { searching } = await answer.json();
  if (searching) return followSearch();
  return refresh();
}

function follow() {
  if (document.getElementById("ciba-chiffres")) setTimeout(() => location.reload(), 2000);
  if (document.querySelector("#resultats[data-searching=oui]")) return followSearch();
  if (/waiting|running/.test(states())) setTimeout(followExports, 1000);
}
follow();
