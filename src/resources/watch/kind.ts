// ResourceWatch: names a kind to be watched on behalf of handles. The leading controller opens the watch (managed-watches.ts).
import type { Kind } from "../kind.ts";
import { reconcileWatch, watchTarget } from "./reconcile.ts";

export const watchKind: Kind = {
  name: "resourcewatches",
  kind: "ResourceWatch",
  singular: "resourcewatch",
  scope: "operator",
  defaultPartitions: 1,
  mapTo: () => [],
  watches: watchTarget,
  reconcile: reconcileWatch,
};
