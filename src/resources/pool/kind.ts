// ResourcePool: keeps a number of unclaimed handles.
import type { Kind } from "../kind.ts";
import { reconcilePool } from "./reconcile.ts";

export const poolKind: Kind = {
  name: "resourcepools",
  kind: "ResourcePool",
  singular: "resourcepool",
  scope: "operator",
  defaultPartitions: 2,
  mapTo: () => [],
  reconcile: reconcilePool,
};
