// A new handle for a pool (spec resource-handle 2.2).
import { randomInt } from "node:crypto";
import type { KubeObject } from "../../kube/types.ts";
import { formatTimestamp, parseInterval } from "../../templating/interval.ts";
import type { Context } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import { findProvider } from "../provider/lookup.ts";
import type { Lifespan } from "../provider/types.ts";
import { RetryAfterError } from "../../runtime/errors.ts";
import type { ResourcePool } from "./types.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** The name is chosen here, before the request: after an unknown outcome the next list shows whether it exists. */
export function randomHandleName(): string {
  return `guid-${Array.from({ length: 10 }, () => LETTERS[randomInt(LETTERS.length)]).join("")}`;
}

export async function poolHandle(pool: ResourcePool, context: Context): Promise<KubeObject> {
  const { settings } = context;
  const names = namesOf(settings);
  const { apiVersion, kind } = refOf("ResourceHandle", settings, settings.namespace, "");
  const poolName = pool.metadata.name ?? "";
  const namespace = pool.metadata.namespace ?? settings.namespace;
  const { spec } = pool;
  const lifespan = await handleLifespan(pool, context);
  return {
    apiVersion, kind,
    metadata: {
      name: randomHandleName(), generateName: "guid-", namespace: settings.namespace, finalizers: [names.finalizer],
      labels: { [names.poolName]: poolName, [names.poolNamespace]: namespace },
    },
    spec: {
      resourcePool: { apiVersion, kind: "ResourcePool", name: poolName, namespace },
      vars: spec.vars ?? {},
      ...(spec.provider ? { provider: spec.provider } : { resources: spec.resources ?? [] }),
      ...(spec.preferenceScore === undefined ? {} : { preferenceScore: spec.preferenceScore }),
      ...(spec.resourceAnnotations ? { resourceAnnotations: spec.resourceAnnotations } : {}),
      ...(spec.resourceLabels ? { resourceLabels: spec.resourceLabels } : {}),
      ...(lifespan ? { lifespan } : {}),
    },
  };
}

// The pool's own lifespan replaces the provider's as a whole; the provider's relative maximum lands in `maximum`.
async function handleLifespan(pool: ResourcePool, context: Context): Promise<Record<string, string> | undefined> {
  const { spec } = pool;
  if (spec.lifespan) return withEnd({ default: spec.lifespan.default, maximum: spec.lifespan.maximum, relativeMaximum: spec.lifespan.relativeMaximum }, spec.lifespan, context);
  const provider = spec.provider && (await findProvider(spec.provider.name, context));
  const lifespan = provider?.spec.lifespan;
  return lifespan && withEnd({ default: lifespan.default, maximum: lifespan.relativeMaximum ?? lifespan.maximum }, lifespan, context);
}

function withEnd(texts: Record<string, string | undefined>, { unclaimed }: Lifespan, context: Context): Record<string, string> {
  const set = Object.fromEntries(Object.entries(texts).filter((entry): entry is [string, string] => (entry[1] ?? "") !== ""));
  if (unclaimed === undefined || unclaimed === "") return set;
  const ms = parseInterval(unclaimed);
  if (ms === undefined) throw new RetryAfterError("PS_POOL_LIFESPAN", `Failed to parse unclaimed time interval: ${unclaimed}`, 60_000);
  return { ...set, end: formatTimestamp(context.clock.now() + ms) };
}
