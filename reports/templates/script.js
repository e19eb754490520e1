"use strict";
// The page reads without this: the fragment of a link shows its message. With it, messages are
// modal panels (focus kept inside, Escape closes, arrow keys move) and links unfold what they name.
document.documentElement.classList.add("js");
let opener = null;
const panelOf = (hash) => {
  const found = /^#m\d+$/.test(hash) ? document.getElementById(hash.slice(1)) : null;
  return found instanceof HTMLDialogElement ? found : null;
};
const current = () => document.querySelector("dialog.message[open]");
const shut = () => {
  const open = current();
  if (open) { open.dataset.quiet = "1"; open.close(); }
};
const show = (panel) => {
  if (panel === current()) return;
  if (!current()) opener = document.activeElement;
  shut();
  panel.showModal();
  panel.querySelector(".content").focus({ preventScroll: true });
};
const reveal = (id) => {
  const target = document.getElementById(id);
  const folded = target && target.querySelector(":scope > details");
  if (folded) folded.open = true;
};
const follow = () => {
  const panel = panelOf(location.hash);
  if (panel) show(panel); else { shut(); reveal(location.hash.slice(1)); }
};
document.addEventListener("click", (event) => {
  const open = current();
  if (open && event.target === open) { open.close(); return; }
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const hash = typeof link.href === "string" ? link.hash : link.getAttribute("href");
  if (link.classList.contains("close")) { event.preventDefault(); open.close(); return; }
  const panel = panelOf(hash);
  if (!panel) return;
  event.preventDefault();
  history[open ? "replaceState" : "pushState"](null, "", hash);
  show(panel);
});
document.addEventListener("keydown", (event) => {
  const open = current();
  if (!open || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const move = open.querySelector(`a[rel=${event.key === "ArrowLeft" ? "prev" : "next"}]`);
  if (move) { event.preventDefault(); move.click(); }
});
document.querySelectorAll("dialog.message").forEach((panel) => {
  panel.addEventListener("close", () => {
    if (panel.dataset.quiet) { delete panel.dataset.quiet; return; }
    history.replaceState(null, "", panel.querySelector("a.close").getAttribute("href"));
    if (opener) opener.focus({ preventScroll: true });
  });
});
const fold = (open) => document.querySelectorAll(".scenario > details").forEach((d) => { d.open = open; });
document.getElementById("unfold").addEventListener("click", () => fold(true));
document.getElementById("fold").addEventListener("click", () => fold(false));
addEventListener("beforeprint", () => fold(true));
addEventListener("hashchange", follow);
addEventListener("popstate", follow);
follow();
