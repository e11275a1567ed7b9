// ResourceHandle: an environment, in a pool or bound to a claim. Its changes make its claim and its pool dirty.
import type { DomainSettings, Kind, Mapped, ObjectChange } from "../kind.ts";
import { digestOf } from "../digest.ts";
import { reconcileHandle } from "./reconcile.ts";
import { asHandle, handleBuckets, healthOf } from "./view.ts";

/** The claim mirrors every change; the pool counts. A change of spec or life wakes them, a change of status does not. */
function mapTo(change: ObjectChange, settings: DomainSettings): Mapped[] {
  const { resourceClaim, resourcePool } = asHandle(change.object).spec;
  const waking = change.type === "DELETED" || !change.previous || digestOf(change.object) !== digestOf(change.previous);
  const keys: Mapped[] = [];
  if (resourceClaim) {
    keys.push({ kind: "resourceclaims", namespace: resourceClaim.namespace, name: resourceClaim.name, cause: "handle changed", waking });
  }
  if (resourcePool && (waking || countsOtherwise(change))) {
    keys.push({ kind: "resourcepools", namespace: settings.namespace, name: resourcePool.name, cause: "handle changed", waking });
  }
  return keys;
}

// A pool counts and shows health and readiness: another change of status costs it no pass.
function countsOtherwise({ object, previous }: ObjectChange): boolean {
  if (!previous) return true;
  const [now, before] = [asHandle(object), asHandle(previous)];
  return healthOf(now) !== healthOf(before) || now.status?.ready !== before.status?.ready;
}

export const handleKind: Kind = {
  name: "resourcehandles",
  kind: "ResourceHandle",
  singular: "resourcehandle",
  scope: "operator",
  defaultPartitions: 4,
  buckets: handleBuckets,
  mapTo,
  reconcile: reconcileHandle,
};
