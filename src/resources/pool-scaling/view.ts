// Pure readers of a scaling (spec resource-pool-and-watch 4). The pool pass acts on them: it creates the handles and writes
// the whole status; the scaling's own pass writes nothing but the owner reference.
import type { KubeObject } from "../../kube/types.ts";
import { parseTimestamp } from "../../templating/interval.ts";
import type { DomainSettings } from "../kind.ts";
import type { ResourcePoolScaling, ScalingState } from "./types.ts";

/** Decode edge: the API server has validated the shape by the CRD. */
export function asScaling(object: KubeObject): ResourcePoolScaling {
  return object as unknown as ResourcePoolScaling;
}

/** Label of handles that were created on account of a scaling. */
export function scalingLabel({ domain }: Pick<DomainSettings, "domain">): string {
  return `${domain}/resource-pool-scaling-name`;
}

export function countOf({ status }: ResourcePoolScaling): number {
  return status?.count ?? 0;
}

/** ms until the scaling may act; 0 when it may now. A time that cannot be read never comes. */
export function waitMs({ spec }: ResourcePoolScaling, now: number): number {
  if (spec.at === undefined) return 0;
  return Math.max(0, (parseTimestamp(spec.at) ?? Number.POSITIVE_INFINITY) - now);
}

/** How many handles it still wants now: raising `spec.count` of a finished one makes it want the difference. */
export function missingOf(scaling: ResourcePoolScaling, now: number): number {
  return waitMs(scaling, now) > 0 ? 0 : Math.max(0, scaling.spec.count - countOf(scaling));
}

/** The sensible states of spec 4.5: the final one is `done`. */
export function stateOf(scaling: ResourcePoolScaling, count: number, now: number): ScalingState {
  if (count >= scaling.spec.count) return "done";
  return waitMs(scaling, now) > 0 ? "waiting" : "scaling";
}
