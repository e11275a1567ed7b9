// What of an object decides whether it must be reconciled: labels, annotations, spec and the deletion mark. The controller
// compares it between two copies and with what was last reconciled (`seen`). A status is never part of it.
import { createHash } from "node:crypto";
import type { KubeObject } from "../kube/types.ts";

// kubectl writes the whole object into it; it says nothing that spec and labels do not.
const NOISE = "kubectl.kubernetes.io/last-applied-configuration";

/** A short text, equal for equal content whatever the order of keys. */
export function digestOf(object: KubeObject): string {
  const { labels = {}, annotations = {}, deletionTimestamp, uid } = object.metadata;
  const { [NOISE]: _, ...kept } = annotations;
  const content = canonical([labels, kept, object["spec"], deletionTimestamp !== undefined, uid]);
  return createHash("sha1").update(content).digest("base64").slice(0, 16);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return value === undefined ? "null" : JSON.stringify(value);
  const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(",")}}`;
}
