// Pure readers of a handle, and the index buckets it stands in.
import type { KubeObject } from "../../kube/types.ts";
import { equal } from "../../kube/patch.ts";
import type { Reference } from "../provider/types.ts";
import type { ResourceHandle } from "./types.ts";

export const UNBOUND = "unbound";

/** The bucket of handles bound to one claim. */
export function claimBucket(namespace: string, name: string): string {
  return `claim:${namespace}/${name}`;
}

/** Buckets of the shared cache: live unbound handles, or the claim's. */
export function handleBuckets(object: KubeObject): string[] {
  const handle = asHandle(object);
  if (!isLive(handle)) return [];
  const claim = handle.spec.resourceClaim;
  return [claim ? claimBucket(claim.namespace, claim.name) : UNBOUND];
}

/** Decode edge: the API server has validated the shape by the CRD. */
export function asHandle(object: KubeObject): ResourceHandle {
  return object as unknown as ResourceHandle;
}

export function isLive(handle: ResourceHandle): boolean {
  return handle.metadata.deletionTimestamp === undefined;
}

export function isBoundTo(handle: ResourceHandle, claim: { readonly namespace: string; readonly name: string }): boolean {
  const bound = handle.spec.resourceClaim;
  return bound !== undefined && bound.namespace === claim.namespace && bound.name === claim.name;
}

/** spec resource-handle 1.1, guid rule. */
export function guidOf({ metadata }: Pick<ResourceHandle, "metadata">): string {
  const name = metadata.name ?? "";
  if (metadata.generateName !== undefined && metadata.generateName !== "" && name.startsWith(metadata.generateName)) {
    return name.slice(metadata.generateName.length);
  }
  return name.startsWith("guid-") ? name.slice("guid-".length) : name.slice(-5);
}

/** Health as pools and binding see it (spec resource-pool-and-watch 3.5); undefined = unknown. */
export function healthOf({ status }: ResourceHandle): boolean | undefined {
  const resources = status?.resources ?? [];
  if (resources.some((entry) => entry.healthy === false)) return false;
  return resources.some((entry) => entry.waitingFor !== undefined && entry.healthy === undefined) ? undefined : true;
}

export function sameReference(left: Reference | undefined, right: Reference | undefined): boolean {
  return equal(left ?? null, right ?? null);
}
