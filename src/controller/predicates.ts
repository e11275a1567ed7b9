// Which changes of an object make its own key dirty: pure, and the only filter (mappings to other keys see every change).
// Labels and annotations do not raise metadata.generation, so the digest decides (design.md part 4).
import type { KubeObject } from "../kube/types.ts";
import { digestOf } from "../resources/digest.ts";
import type { ObjectChange } from "../resources/kind.ts";

/** Field manager prefix of our own writes: the user agent's product, as the API server records it. */
export const OWN_MANAGER = "poolstream";

export type OwnChange = "created" | "changed" | "deleting" | "gone" | "status" | undefined;

/** How the object's own key is to be treated; undefined = not at all. */
export function ownChange(change: ObjectChange, ignoreLabel: string): OwnChange {
  const { object, previous } = change;
  if (change.type === "DELETED") return "gone";
  if (object.metadata.labels?.[ignoreLabel] !== undefined) return undefined;
  if (!previous) return "created";
  if (object.metadata.deletionTimestamp !== undefined && previous.metadata.deletionTimestamp === undefined) return "deleting";
  if (digestOf(object) !== digestOf(previous)) return "changed";
  return isOwnEcho(object) || sameStatus(object, previous) ? undefined : "status";
}

interface ManagedFields {
  readonly manager?: string;
  readonly subresource?: string;
  readonly time?: string;
}

/** True when the newest write of the status was ours. A tie within one second counts as foreign: a spare run, never a lost one. */
export function isOwnEcho(object: KubeObject): boolean {
  const fields = (object.metadata as { readonly managedFields?: readonly ManagedFields[] }).managedFields ?? [];
  const status = fields.filter((entry) => entry.subresource === "status");
  const newest = status.reduce((latest, entry) => ((entry.time ?? "") > latest ? (entry.time ?? "") : latest), "");
  return status.filter((entry) => entry.time === newest).every((entry) => entry.manager?.startsWith(OWN_MANAGER) === true);
}

function sameStatus(object: KubeObject, previous: KubeObject): boolean {
  return JSON.stringify(object["status"]) === JSON.stringify(previous["status"]);
}
