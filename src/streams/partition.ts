// Object key → partition: jump consistent hash over FNV-1a. Pure, and never changes: a change would move every key.
// n → m partitions moves |n − m| / max(n, m) of the keys (Lamping & Veach, 2014).

const MASK = (1n << 64n) - 1n;

function fnv1a(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text, "utf8")) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK;
  return hash;
}

/** The partition of `namespace/name` among `count` ≥ 1. */
export function partitionOf(namespace: string, name: string, count: number): number {
  if (count <= 1) return 0;
  let state = fnv1a(`${namespace}/${name}`);
  let bucket = -1;
  let next = 0;
  while (next < count) {
    bucket = next;
    state = (state * 2862933555777941757n + 1n) & MASK;
    next = Math.floor((bucket + 1) * (2 ** 31 / (Number(state >> 33n) + 1)));
  }
  return bucket;
}
