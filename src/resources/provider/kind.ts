// ResourceProvider: how environments are made. It has no status; a change makes its users dirty.
import { NotFoundError } from "../../kube/errors.ts";
import { digestOf } from "../digest.ts";
import type { Context, Kind, Mapped, Request, Result } from "../kind.ts";
import { refOf } from "../kind.ts";

/** Claims, handles and pools that name this provider run again; who only links to it follows with the resync. */
async function reconcileProvider(request: Request, context: Context): Promise<Result> {
  const object = await context.client
    .get(refOf("ResourceProvider", context.settings, request.namespace, request.name))
    .catch((error: unknown) => {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    });
  if (!object) return { gone: true };
  if (request.cause !== "resync") await context.enqueue(await usersOf(request.name, context));
  return { digest: digestOf(object) };
}

// Handles too: their objects follow an override, filters or variables that changed (spec resource-handle 3.6 "Ordering").
const USERS = [
  ["ResourceClaim", "resourceclaims"],
  ["ResourceHandle", "resourcehandles"],
  ["ResourcePool", "resourcepools"],
] as const;

interface ProviderUser {
  readonly spec?: {
    readonly provider?: { readonly name?: string };
    readonly resources?: readonly { readonly provider?: { readonly name?: string } }[];
  };
}

async function usersOf(provider: string, context: Context): Promise<Mapped[]> {
  const found: Mapped[] = [];
  for (const [kind, name] of USERS) {
    const { apiVersion } = refOf(kind, context.settings, "", "");
    for await (const page of context.client.list({ apiVersion, kind })) {
      const users = page.items.filter((item) => uses(item as ProviderUser, provider));
      found.push(
        ...users.map(({ metadata }) => ({
          kind: name,
          namespace: metadata.namespace ?? "",
          name: metadata.name ?? "",
          cause: "provider changed",
          waking: true,
        })),
      );
    }
  }
  return found;
}

// A claim in resources form that has not been matched yet may be waiting for any provider.
function uses({ spec }: ProviderUser, provider: string): boolean {
  if (spec?.provider?.name === provider) return true;
  return spec?.resources?.some((entry) => entry.provider?.name === undefined || entry.provider.name === provider) === true;
}

export const providerKind: Kind = {
  name: "resourceproviders",
  kind: "ResourceProvider",
  singular: "resourceprovider",
  scope: "operator",
  defaultPartitions: 1,
  mapTo: () => [],
  reconcile: reconcileProvider,
};
