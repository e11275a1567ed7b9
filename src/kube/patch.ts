// JSON patches: from two values, applied, and escaped; deep merge with index-wise lists (spec resource-provider, merge rules).
// Pure. Order of operations follows the order of keys, so that equal inputs give equal patches.
import type { PatchOperation } from "./types.ts";

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One segment of a JSON pointer (RFC 6901). */
export function escapePointer(segment: string): string {
  return segment.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Operations that turn `from` into `to`; maps by key, lists by index, scalars by equality. */
export function diff(from: unknown, to: unknown, path = ""): PatchOperation[] {
  if (isRecord(from) && isRecord(to)) return diffMaps(from, to, path);
  if (Array.isArray(from) && Array.isArray(to)) return diffLists(from, to, path);
  return Object.is(from, to) ? [] : [{ op: "replace", path, value: to }];
}

function diffMaps(from: Record<string, unknown>, to: Record<string, unknown>, path: string): PatchOperation[] {
  const removed = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
  const changed = Object.entries(to).flatMap(([key, value]): PatchOperation[] => {
    const at = `${path}/${escapePointer(key)}`;
    return Object.hasOwn(from, key) ? diff(from[key], value, at) : [{ op: "add", path: at, value }];
  });
  return [...removed.map((key): PatchOperation => ({ op: "remove", path: `${path}/${escapePointer(key)}` })), ...changed];
}

function diffLists(from: readonly unknown[], to: readonly unknown[], path: string): PatchOperation[] {
  const common = Math.min(from.length, to.length);
  const changed = from.slice(0, common).flatMap((item, index) => diff(item, to[index], `${path}/${index}`));
  const added = to.slice(common).map((value, offset): PatchOperation => ({ op: "add", path: `${path}/${common + offset}`, value }));
  // From the end, so that indices stay right while they go.
  const removed = from
    .slice(common)
    .map((_, offset): PatchOperation => ({ op: "remove", path: `${path}/${common + offset}` }))
    .toReversed();
  return [...changed, ...added, ...removed];
}

/** True when both are the same JSON, key order aside. */
export function equal(left: unknown, right: unknown): boolean {
  return diff(left, right).length === 0;
}

/** Overlays `over` on `base`: maps recurse, lists merge index by index, scalars of `over` win. Inputs stay as they are. */
export function deepMerge(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (isRecord(base) && isRecord(over)) {
    const merged: Record<string, unknown> = { ...base };
    for (const [key, value] of Object.entries(over)) merged[key] = Object.hasOwn(base, key) ? deepMerge(base[key], value) : value;
    return merged;
  }
  if (Array.isArray(base) && Array.isArray(over)) {
    const length = Math.max(base.length, over.length);
    return Array.from({ length }, (_, index): unknown => (index < over.length ? deepMerge(base[index], over[index]) : base[index]));
  }
  return over;
}

/** As deepMerge, but what `base` has stays: fills in what is missing. */
export function fillIn(base: unknown, defaults: unknown): unknown {
  if (base === undefined) return defaults;
  if (!isRecord(base) || !isRecord(defaults)) return base;
  const filled: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(defaults)) filled[key] = Object.hasOwn(base, key) ? fillIn(base[key], value) : value;
  return filled;
}
