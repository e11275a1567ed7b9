// Who asked for the claim: the namespace's requester annotation, then user and identities where the cluster has such kinds
// (spec resource-claim 15). A namespace without annotations has no requester; that is never an error.
import { NotFoundError } from "../../kube/errors.ts";
import type { KubeObject, ObjectRef } from "../../kube/types.ts";
import type { Context, DomainSettings } from "../kind.ts";

export interface Requester {
  readonly user: KubeObject | undefined;
  readonly identities: readonly KubeObject[];
}

export const NOBODY: Requester = { user: undefined, identities: [] };
const USERS = "user.openshift.io/v1";

async function getOr(ref: ObjectRef, stub: () => KubeObject, context: Context): Promise<KubeObject> {
  try {
    return await context.client.get(ref);
  } catch (error) {
    if (error instanceof NotFoundError) return stub();
    throw error;
  }
}

/** Reads the claim's Namespace, and the user only when it names one. */
export async function findRequester(claim: KubeObject | undefined, context: Context): Promise<Requester> {
  if (!claim) return NOBODY;
  const none: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: {} };
  const namespace = await getOr({ apiVersion: "v1", kind: "Namespace", name: claim.metadata.namespace ?? "" }, () => none, context);
  const name = namespace.metadata.annotations?.["openshift.io/requester"] ?? "";
  if (name === "") return NOBODY;
  const user = await getOr(
    { apiVersion: USERS, kind: "User", name },
    () => ({ apiVersion: USERS, kind: "User", metadata: { name }, identities: [] }),
    context,
  );
  const ids = Array.isArray(user["identities"]) ? user["identities"].filter((id): id is string => typeof id === "string") : [];
  const identities = await Promise.all(
    ids.map((id) =>
      getOr(
        { apiVersion: USERS, kind: "Identity", name: id },
        () => ({ apiVersion: USERS, kind: "Identity", metadata: { name: id }, extra: {} }),
        context,
      ),
    ),
  );
  return { user, identities };
}

/** Annotations of managed objects (spec resource-handle 1.7). */
export function requesterAnnotations({ user, identities }: Requester, { domain }: DomainSettings): Record<string, string> {
  if (!user) return {};
  const named = { [`${domain}/resource-requester-user`]: user.metadata.name ?? "" };
  const [identity] = identities;
  if (!identity) return named;
  const extra = (identity["extra"] ?? {}) as Readonly<Record<string, string | undefined>>;
  return {
    ...named,
    [`${domain}/resource-requester-email`]: extra["email"] ?? "",
    [`${domain}/resource-requester-name`]: extra["name"] ?? "",
    [`${domain}/resource-requester-preferred-username`]: extra["preferred_username"] ?? "",
  };
}
