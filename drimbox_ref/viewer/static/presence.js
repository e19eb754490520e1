// Tells the box that somebody is looking: images already here are read without asking it anything,
// and a login that nobody seems to use ends (DB.CO.65).

const EVERY = 4 * 60 * 1000;

/** Ask `address` now and then while the user acts; `over` is called once the login has ended. */
export function presence(address, over) {
  let last = performance.now();
  async function tell() {
    if (performance.now() - last < EVERY) return;
    last = performance.now();
    const response = await fetch(address, { method: "POST", cache: "no-store" }).catch(() => null);
    if (response?.status === 401) over();
  }
  for (const type of ["pointerdown", "keydown", "wheel"]) {
    document.addEventListener(type, tell, { passive: true });
  }
}
