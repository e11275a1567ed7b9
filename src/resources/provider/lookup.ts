// Providers by name in the operator namespace: the shared cache first, then the API.
import type { KubeObject } from "../../kube/types.ts";
import { refOf } from "../kind.ts";
import type { Context } from "../kind.ts";
import type { ResourceProvider } from "./types.ts";

/** Throws NotFoundError when the API has none. */
export async function findProvider(name: string, context: Context): Promise<ResourceProvider> {
  const { cache, client, settings } = context;
  const cached = await cache.get("resourceproviders", settings.namespace, name);
  const object: KubeObject = cached.object ?? (await client.get(refOf("ResourceProvider", settings, settings.namespace, name)));
  return object as unknown as ResourceProvider;
}
