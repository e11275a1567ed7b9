// ResourceWatch: names a kind to be watched on behalf of handles. The leading controller opens the watch (managed-watches.ts);
// there is nothing to reconcile in a worker.
import type { KubeObject } from "../../kube/types.ts";
import { isRecord } from "../../kube/patch.ts";
import type { Kind, WatchTarget } from "../kind.ts";

function target(object: KubeObject): WatchTarget | undefined {
  const spec = object["spec"];
  if (!isRecord(spec) || typeof spec["apiVersion"] !== "string" || typeof spec["kind"] !== "string") return undefined;
  const namespace = spec["namespace"];
  return { apiVersion: spec["apiVersion"], kind: spec["kind"], ...(typeof namespace === "string" ? { namespace } : {}) };
}

export const watchKind: Kind = {
  name: "resourcewatches",
  kind: "ResourceWatch",
  singular: "resourcewatch",
  scope: "operator",
  defaultPartitions: 1,
  mapTo: () => [],
  watches: target,
  reconcile: () => Promise.resolve({}),
};
