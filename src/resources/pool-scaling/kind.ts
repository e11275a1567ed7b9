// ResourcePoolScaling: adds a number of handles to a pool, once, optionally from a given time on. The pool does the work.
import { digestOf } from "../digest.ts";
import type { DomainSettings, Kind, Mapped, ObjectChange } from "../kind.ts";
import { reconcileScaling } from "./reconcile.ts";
import { asScaling } from "./view.ts";

// Its status is the pool pass's own writing and says nothing new to the pool.
function mapTo({ type, object, previous }: ObjectChange, settings: DomainSettings): Mapped[] {
  if (type === "MODIFIED" && previous && digestOf(object) === digestOf(previous)) return [];
  const { name } = asScaling(object).spec.resourcePool;
  return [{ kind: "resourcepools", namespace: settings.namespace, name, cause: "scaling changed", waking: true }];
}

export const poolScalingKind: Kind = {
  name: "resourcepoolscalings",
  kind: "ResourcePoolScaling",
  singular: "resourcepoolscaling",
  scope: "operator",
  defaultPartitions: 1,
  mapTo,
  reconcile: reconcileScaling,
};
