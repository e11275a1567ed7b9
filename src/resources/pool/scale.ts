// How many handles a pool deletes and creates, and on whose account (spec resource-pool-and-watch 3.5, 4.3). Pure; reconcile.ts
// carries the plan out.
import type { ResourceHandle } from "../handle/types.ts";
import { healthOf } from "../handle/view.ts";

export interface PoolSpecForScaling {
  readonly minAvailable?: number;
  readonly maxUnready?: number;
  readonly deleteUnhealthyResourceHandles?: boolean;
}

export interface PoolEntry {
  readonly name: string;
  readonly healthy?: boolean;
  readonly ready?: boolean;
}

/** A scaling that may act now, and how many handles it still wants. */
export interface Demand {
  readonly scaling: string;
  readonly missing: number;
}

export interface PoolCount {
  readonly remove: readonly ResourceHandle[];
  readonly keep: readonly ResourceHandle[];
  readonly available: number;
  readonly ready: number;
}

/** `handles`: live unbound handles of the pool. Unhealthy ones go where the pool says so, and are not counted. */
export function countPool(spec: PoolSpecForScaling, handles: readonly ResourceHandle[]): PoolCount {
  const unhealthy = (handle: ResourceHandle): boolean => spec.deleteUnhealthyResourceHandles === true && healthOf(handle) === false;
  const keep = handles.filter((handle) => !unhealthy(handle));
  return {
    remove: handles.filter(unhealthy),
    keep,
    available: keep.length,
    ready: keep.filter((handle) => handle.status?.ready === true).length,
  };
}

/**
 * One item per handle to create: the scaling it counts for, or undefined for the pool's own need. A scaling that is served
 * takes the pool's need on its account too, so its count can pass what it asked for (spec 3.5, last worked example).
 */
export function planCreations(
  spec: PoolSpecForScaling,
  count: Pick<PoolCount, "available" | "ready">,
  demands: readonly Demand[],
): (string | undefined)[] {
  const creations: (string | undefined)[] = [];
  const room = spec.maxUnready === undefined ? Number.POSITIVE_INFINITY : Math.max(0, spec.maxUnready - (count.available - count.ready));
  const deficit = Math.max(0, (spec.minAvailable ?? 0) - count.available);
  for (const { scaling, missing } of demands) {
    const wanted = Math.max(missing, deficit - creations.length);
    const given = Math.min(missing > 0 ? wanted : 0, room - creations.length);
    for (let index = 0; index < given; index += 1) creations.push(scaling);
  }
  while (creations.length < Math.min(deficit, room)) creations.push(undefined);
  return creations;
}

/** Status entry of a handle: health and readiness only where known. */
export function poolEntry(handle: ResourceHandle): PoolEntry {
  const healthy = healthOf(handle);
  const ready = handle.status?.ready;
  return { name: handle.metadata.name ?? "", ...(healthy === undefined ? {} : { healthy }), ...(ready === undefined ? {} : { ready }) };
}
