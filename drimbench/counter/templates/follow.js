"use strict";
// The list reads without this: a link reloads it. With it, the list follows what passes, until told
// to stop, and nothing moves while somebody has the focus in it.
document.documentElement.classList.add("js");
const button = document.getElementById("follow");
const list = document.getElementById("suivi");
let following = true;
const again = async () => {
  if (!following || document.hidden || list.contains(document.activeElement)) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("suivi");
    if (answer.ok && fresh && fresh.innerHTML !== list.innerHTML) list.replaceChildren(...fresh.childNodes);
  } catch {
    list.querySelector("[role=status]").textContent = "Le banc ne répond plus.";
  }
};
button.addEventListener("click", () => {
  following = !following;
  button.setAttribute("aria-pressed", String(following));
});
setInterval(again, 2000);
