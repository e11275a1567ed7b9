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

function excluded(handle: ResourceHandle, wanted: Wanted): boolean {
  if (!isLive(handle) || handle.spec.resourceClaim !== undefined || healthOf(handle) === false) return true;
  if (wanted.poolName !== undefined && wanted.poolName !== handle.spec.resourcePool?.name) return true;
  const end = handle.spec.lifespan?.end;
  if (end !== undefined && (parseTimestamp(end) ?? Number.POSITIVE_INFINITY) - wanted.now < ENDS_SOON_MS) return true;
  return (handle.spec.resources?.length ?? 0) > wanted.entries.length;
}

function rankOf(handle: ResourceHandle, wanted: Wanted): Ranked | undefined {
  // A handle whose list has not been expanded yet cannot be matched: it is bound a moment later instead.
  if (excluded(handle, wanted) || handle.spec.resources === undefined) return undefined;
  let names = 0;
  let differences = 0;
  for (const [index, entry] of handle.spec.resources.entries()) {
    const want = wanted.entries[index];
    if (!want || want.provider.name !== entry.provider.name) return undefined;
    const count = ignoredDifferences(entry.template ?? {}, want.template ?? {}, wanted.matchIgnore[index] ?? []);
    if (count === undefined) return undefined;
    differences += count;
    if (want.name !== entry.name) names += 1;
  }
  return {
    handle,
    rank: [
      wanted.entries.length - handle.spec.resources.length, names, differences,
      healthOf(handle) === true ? 0 : 1, handle.status?.ready === true ? 0 : 1,
      -(handle.spec.preferenceScore ?? 0), handle.metadata.creationTimestamp ?? "",
    ],
  };
}

/** Number of differences that `matchIgnore` lets pass; undefined when one is not let pass. Removals do not count. */
function ignoredDifferences(have: unknown, want: unknown, matchIgnore: readonly string[]): number | undefined {
  const patterns = matchIgnore.map((pattern) => RE2JS.compile(pattern));
  const operations = diff(have, want).filter(({ op }) => op !== "remove");
  return operations.every(({ path }) => patterns.some((pattern) => pattern.matches(path))) ? operations.length : undefined;
}
