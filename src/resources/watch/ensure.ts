// Makes sure that the ResourceWatch of a managed kind exists (spec resource-pool-and-watch 5.2): cache first, then create;
// somebody else's creation is as good as ours.
import { ConflictError } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { Context } from "../kind.ts";
import { refOf } from "../kind.ts";
import { watchName } from "./names.ts";

// The cache may be off, or be told of a new object a moment later: what this process made stands for a minute.
const KNOWN_MS = 60_000;
const known = new Map<string, number>();

/** At most one request per kind, namespace, process and minute while the object stays. */
export async function ensureWatch(object: KubeObject, context: Context): Promise<void> {
  const { client, cache, settings } = context;
  const { namespace } = object.metadata;
  const name = watchName(object.apiVersion, object.kind, namespace);
  const cached = await cache.get("resourcewatches", settings.namespace, name);
  if (cached.object || context.clock.monotonic() - (known.get(name) ?? Number.NEGATIVE_INFINITY) < KNOWN_MS) return;
  const { apiVersion, kind } = refOf("ResourceWatch", settings, settings.namespace, name);
  const spec = { apiVersion: object.apiVersion, kind: object.kind, ...(namespace === undefined ? {} : { namespace }) };
  try {
    await client.create({ apiVersion, kind, metadata: { name, namespace: settings.namespace }, spec });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
  known.set(name, context.clock.monotonic());
}
