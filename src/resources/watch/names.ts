// Names of ResourceWatch objects (spec resource-pool-and-watch 5.1): the same for the same watched kind, whoever makes it.
import { createHash } from "node:crypto";

/** `<namespace>-<hash>`, `cluster-<hash>` without a namespace. */
export function watchName(apiVersion: string, kind: string, namespace: string | undefined): string {
  const digest = createHash("sha256")
    .update(`${apiVersion}:${kind}:${namespace ?? ""}`)
    .digest("base64url");
  return `${namespace ?? "cluster"}-${digest.replaceAll(/[-_=]/gu, "").toLowerCase().slice(0, 12)}`;
}
