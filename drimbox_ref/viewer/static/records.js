// Reads the façade's stream: records of a length, JSON, then the pixels that the JSON announces.

const HEAD = 4;

/** Yields `{head, pixels}` for each record; `pixels` is an ArrayBuffer of its own, or null. */
export async function* records(response) {
  const reader = response.body.getReader();
  const take = taker(reader);
  try {
    for (;;) {
      const size = await take(HEAD);
      if (size === null) return;
      const text = await take(new DataView(size).getUint32(0, true));
      const head = JSON.parse(new TextDecoder().decode(text));
      yield { head, pixels: head.bytes === undefined ? null : await take(head.bytes) };
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** A function that gives the next `count` bytes, or null where the stream ends cleanly. */
function taker(reader) {
  let chunk = new Uint8Array(0);
  let used = 0;
  return async (count) => {
    const taken = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      if (used === chunk.length) {
        const { done, value } = await reader.read();
        if (done) {
          if (filled === 0 && count === HEAD) return null;
          throw new Error("flux interrompu");
        }
        [chunk, used] = [value, 0];
        continue;
      }
      const size = Math.min(count - filled, chunk.length - used);
      taken.set(chunk.subarray(used, used + size), filled);
      filled += size;
      used += size;
    }
    return taken.buffer;
  };
}
