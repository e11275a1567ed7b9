// Which unbound handles suit a claim, best first (spec resource-claim 5.2–5.4). Pure.
import { RE2JS } from "re2js";
import { diff } from "../../kube/patch.ts";
import { parseTimestamp } from "../../templating/interval.ts";
import type { ResourceEntry } from "../provider/types.ts";
import type { ResourceHandle } from "./types.ts";
import { healthOf, isLive } from "./view.ts";

const ENDS_SOON_MS = 120_000;

export interface Wanted {
  readonly entries: readonly ResourceEntry[];
  /** `spec.matchIgnore` of each entry's provider. */
  readonly matchIgnore: readonly (readonly string[])[];
  /** Restricts to handles of this pool. */
  readonly poolName?: string | undefined;
  readonly now: number;
}

interface Ranked {
  readonly handle: ResourceHandle;
  /** Compared member by member, smaller first. */
  readonly rank: readonly (number | string)[];
}

/** Suitable handles, best first; equal ones keep their order. */
export function selectHandles(handles: readonly ResourceHandle[], wanted: Wanted): ResourceHandle[] {
  const ranked = handles.flatMap((handle) => rankOf(handle, wanted) ?? []);
  return ranked.toSorted(byRank).map(({ handle }) => handle);
}

function byRank(left: Ranked, right: Ranked): number {
  for (const [index, value] of left.rank.entries()) {
    const other = right.rank[index] ?? 0;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

function endsSoon(handle: ResourceHandle, now: number): boolean {
  const end = parseTimestamp(handle.spec.lifespan?.end ?? "");
  return end !== undefined && end - now < ENDS_SOON_MS;
}

function excluded(handle: ResourceHandle, wanted: Wanted): boolean {
  if (!isLive(handle) || handle.spec.resourceClaim !== undefined || healthOf(handle) === false) return true;
  if (wanted.poolName !== undefined && wanted.poolName !== handle.spec.resourcePool?.name) return true;
  return endsSoon(handle, wanted.now) || (handle.spec.resources?.length ?? 0) > wanted.entries.length;
}

function rankOf(handle: ResourceHandle, wanted: Wanted): Ranked | undefined {
  // A handle whose list has not been expanded yet cannot be matched: it is bound a moment later instead.
  if (excluded(handle, wanted) || handle.spec.resources === undefined) return undefined;
  const counts = handle.spec.resources.map((entry, index) => compareEntry(entry, wanted, index));
  if (counts.includes(undefined)) return undefined;
  const sum = (of: (count: EntryDifference) => number): number => counts.reduce((total, count) => total + (count ? of(count) : 0), 0);
  return {
    handle,
    rank: [wanted.entries.length - counts.length, sum(({ names }) => names), sum(({ templates }) => templates), ...merits(handle)],
  };
}

interface EntryDifference {
  readonly names: number;
  readonly templates: number;
}

/** Undefined when the entries do not match. */
function compareEntry(entry: ResourceEntry, wanted: Wanted, index: number): EntryDifference | undefined {
  const want = wanted.entries[index];
  if (!want || want.provider.name !== entry.provider.name) return undefined;
  const templates = ignoredDifferences(entry.template ?? {}, want.template ?? {}, wanted.matchIgnore[index] ?? []);
  return templates === undefined ? undefined : { names: want.name === entry.name ? 0 : 1, templates };
}

/** Health, readiness, preference, age. */
function merits(handle: ResourceHandle): readonly (number | string)[] {
  return [
    healthOf(handle) === true ? 0 : 1,
    handle.status?.ready === true ? 0 : 1,
    -(handle.spec.preferenceScore ?? 0),
    handle.metadata.creationTimestamp ?? "",
  ];
}

/** Number of differences that `matchIgnore` lets pass; undefined when one is not let pass. Removals do not count. */
function ignoredDifferences(have: unknown, want: unknown, matchIgnore: readonly string[]): number | undefined {
  const patterns = matchIgnore.map((pattern) => RE2JS.compile(pattern));
  const operations = diff(have, want).filter(({ op }) => op !== "remove");
  return operations.every(({ path }) => patterns.some((pattern) => pattern.matches(path))) ? operations.length : undefined;
}
