// ResourceClaim: a user's wish for an environment.
import type { Kind } from "../kind.ts";
import { reconcileClaim } from "./reconcile.ts";

export const claimKind: Kind = {
  name: "resourceclaims",
  kind: "ResourceClaim",
  singular: "resourceclaim",
  scope: "all",
  defaultPartitions: 4,
  mapTo: () => [],
  reconcile: reconcileClaim,
};
