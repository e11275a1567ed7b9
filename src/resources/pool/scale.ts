// How many handles a pool creates or deletes (spec resource-pool-and-watch 3.5). Pure.
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

export interface PoolPlan {
  readonly remove: readonly ResourceHandle[];
  readonly keep: readonly ResourceHandle[];
  readonly create: number;
  readonly available: number;
  readonly ready: number;
}

/** `handles`: live unbound handles of the pool, oldest first. `extra`: what a scaling still wants. */
export function planPool(spec: PoolSpecForScaling, handles: readonly ResourceHandle[], extra: number): PoolPlan {
  const unhealthy = (handle: ResourceHandle): boolean => spec.deleteUnhealthyResourceHandles === true && healthOf(handle) === false;
  const remove = handles.filter(unhealthy);
  const keep = handles.filter((handle) => !unhealthy(handle));
  const ready = keep.filter((handle) => handle.status?.ready === true).length;
  const wanted = Math.max(0, (spec.minAvailable ?? 0) - keep.length, extra);
  const room = spec.maxUnready === undefined ? wanted : Math.max(0, spec.maxUnready - (keep.length - ready));
  return { remove, keep, create: Math.min(wanted, room), available: keep.length, ready };
}

/** Status entry of a handle: health and readiness only where known. */
export function poolEntry(handle: ResourceHandle): PoolEntry {
  const healthy = healthOf(handle);
  const ready = handle.status?.ready;
  return { name: handle.metadata.name ?? "", ...(healthy === undefined ? {} : { healthy }), ...(ready === undefined ? {} : { ready }) };
}
