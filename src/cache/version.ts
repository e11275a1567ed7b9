// Which of two copies of an object is newer. resourceVersion is an opaque text by contract, but API servers on etcd
// count; where it is not a number the later write wins, and the API's preconditions catch the rest.
import type { KubeObject } from "../kube/types.ts";

/** The version as a number, 0 when it is none. */
export function versionOf(object: KubeObject): number {
  const version = Number(object.metadata.resourceVersion);
  return Number.isSafeInteger(version) ? version : 0;
}

/** True when `candidate` is an older copy of the same object, or an earlier one of the same name. */
export function isOlder(candidate: KubeObject, stored: KubeObject): boolean {
  return versionOf(candidate) < versionOf(stored);
}
