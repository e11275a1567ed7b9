// The result of a claim pass that ends here.
import type { KubeObject } from "../../kube/types.ts";
import { digestOf } from "../digest.ts";
import type { Result } from "../kind.ts";
import type { ResourceClaim } from "./types.ts";

/** With the digest of the claim as it was last written: our own writes are no news. */
export function ended(claim: ResourceClaim, requeueAfterMs?: number): Result {
  return { digest: digestOf(claim as unknown as KubeObject), requeueAfterMs };
}
