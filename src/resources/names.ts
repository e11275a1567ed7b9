// Labels, annotations and finalizers of our domain, in one place (spec resource-handle 1.2–1.7, resource-claim 1.4).
import type { DomainSettings } from "./kind.ts";

export interface Names {
  readonly finalizer: string;
  readonly ignore: string;
  readonly initTimestamp: string;
  readonly claimName: string;
  readonly claimNamespace: string;
  readonly poolName: string;
  readonly poolNamespace: string;
  readonly providerName: string;
  readonly providerNamespace: string;
  readonly handleName: string;
  readonly handleNamespace: string;
  readonly handleUid: string;
  readonly handleDeleted: string;
  readonly index: string;
}

export function namesOf({ domain }: Pick<DomainSettings, "domain">): Names {
  const key = (name: string): string => `${domain}/${name}`;
  return {
    finalizer: domain,
    ignore: key("ignore"),
    initTimestamp: key("resource-claim-init-timestamp"),
    claimName: key("resource-claim-name"),
    claimNamespace: key("resource-claim-namespace"),
    poolName: key("resource-pool-name"),
    poolNamespace: key("resource-pool-namespace"),
    providerName: key("resource-provider-name"),
    providerNamespace: key("resource-provider-namespace"),
    handleName: key("resource-handle-name"),
    handleNamespace: key("resource-handle-namespace"),
    handleUid: key("resource-handle-uid"),
    handleDeleted: key("resource-handle-deleted"),
    index: key("resource-index"),
  };
}
