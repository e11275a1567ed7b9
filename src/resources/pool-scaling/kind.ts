// ResourcePoolScaling: a one-time addition to a pool. Its changes make its pool dirty, which does the counting.
import { isRecord } from "../../kube/patch.ts";
import type { Kind } from "../kind.ts";

export const poolScalingKind: Kind = {
  name: "resourcepoolscalings",
  kind: "ResourcePoolScaling",
  singular: "resourcepoolscaling",
  scope: "operator",
  defaultPartitions: 1,
  mapTo: ({ object }, settings) => {
    const spec = object["spec"];
    const pool = isRecord(spec) && isRecord(spec["resourcePool"]) ? spec["resourcePool"]["name"] : undefined;
    return typeof pool === "string" ? [{ kind: "resourcepools", namespace: settings.namespace, name: pool, cause: "scaling changed", waking: true }] : [];
  },
  reconcile: () => Promise.resolve({}),
};
