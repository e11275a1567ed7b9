// A new handle for a pool (spec resource-handle 2.2).
import { createHash, randomInt } from "node:crypto";
import type { KubeObject, ObjectMeta } from "../../kube/types.ts";
import { formatTimestamp, parseInterval } from "../../templating/interval.ts";
import type { Context, DomainSettings } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import type { ResourcePoolScaling } from "../pool-scaling/types.ts";
import { scalingLabel } from "../pool-scaling/view.ts";
import { findProvider } from "../provider/lookup.ts";
import type { Lifespan, ResourceProvider } from "../provider/types.ts";
import { NotFoundError } from "../../kube/errors.ts";
import { RetryAfterError } from "../../runtime/errors.ts";
import type { ResourcePool } from "./types.ts";

const RETRY_MS = 60_000;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** The name is chosen here, before the request: after an unknown outcome the next list shows whether it exists. */
export function randomHandleName(): string {
  return `guid-${Array.from({ length: 10 }, () => LETTERS[randomInt(LETTERS.length)]).join("")}`;
}

/**
 * The name of the next handle for a scaling in the state it was read in: the same until its count is written, so that a
 * handle whose creation had an unknown outcome is met again instead of made twice.
 */
export function scalingHandleName({ metadata }: ResourcePoolScaling): string {
  const digest = createHash("sha256").update(`${metadata.uid} ${metadata.resourceVersion}`).digest();
  return `guid-${Array.from(digest.subarray(0, 10), (byte) => LETTERS[byte % LETTERS.length]).join("")}`;
}

/** Throws RetryAfterError for a pool that says nothing to make a handle of, or whose provider does not exist. */
export async function poolHandle(pool: ResourcePool, scaling: ResourcePoolScaling | undefined, context: Context): Promise<KubeObject> {
  const { settings } = context;
  const { apiVersion, kind } = refOf("ResourceHandle", settings, settings.namespace, "");
  const { name: poolName = "", namespace = settings.namespace } = pool.metadata;
  const { spec } = pool;
  // A handle with no resources would fit every claim.
  if (!spec.provider && (spec.resources ?? []).length === 0) {
    throw new RetryAfterError("PS_POOL_FORM", `ResourcePool ${poolName} has neither a provider nor resources`, RETRY_MS);
  }
  const lifespan = handleLifespan(pool, await poolProvider(pool, context), context);
  const { preferenceScore, resourceAnnotations, resourceLabels } = spec;
  return {
    apiVersion,
    kind,
    metadata: handleMetadata({ poolName, namespace, scaling }, settings),
    spec: {
      resourcePool: { apiVersion, kind: "ResourcePool", name: poolName, namespace },
      vars: spec.vars ?? {},
      ...(spec.provider ? { provider: spec.provider } : { resources: spec.resources }),
      ...given({ preferenceScore, resourceAnnotations, resourceLabels, lifespan }),
    },
  };
}

interface Origin {
  readonly poolName: string;
  readonly namespace: string;
  readonly scaling: ResourcePoolScaling | undefined;
}

function handleMetadata({ poolName, namespace, scaling }: Origin, settings: DomainSettings): ObjectMeta {
  const names = namesOf(settings);
  const labels = { [names.poolName]: poolName, [names.poolNamespace]: namespace };
  return {
    name: scaling ? scalingHandleName(scaling) : randomHandleName(),
    generateName: "guid-",
    namespace: settings.namespace,
    finalizers: [names.finalizer],
    labels: scaling ? { ...labels, [scalingLabel(settings)]: scaling.metadata.name ?? "" } : labels,
  };
}

function given(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

async function poolProvider({ spec, metadata }: ResourcePool, context: Context): Promise<ResourceProvider | undefined> {
  if (!spec.provider) return undefined;
  try {
    return await findProvider(spec.provider.name, context);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    throw new RetryAfterError(
      "PS_POOL_PROVIDER",
      `ResourcePool ${metadata.name} names ResourceProvider ${spec.provider.name}, which does not exist`,
      RETRY_MS,
      { cause: error },
    );
  }
}

// The pool's own lifespan replaces the provider's as a whole; the provider's relative maximum lands in `maximum`.
function handleLifespan(
  { spec }: ResourcePool,
  provider: ResourceProvider | undefined,
  context: Context,
): Record<string, string> | undefined {
  const own = spec.lifespan;
  if (own) return withEnd({ default: own.default, maximum: own.maximum, relativeMaximum: own.relativeMaximum }, own, context);
  const lifespan = provider?.spec.lifespan;
  return lifespan && withEnd({ default: lifespan.default, maximum: lifespan.relativeMaximum ?? lifespan.maximum }, lifespan, context);
}

function withEnd(texts: Record<string, string | undefined>, { unclaimed }: Lifespan, context: Context): Record<string, string> {
  const set = Object.fromEntries(Object.entries(texts).filter((entry): entry is [string, string] => (entry[1] ?? "") !== ""));
  if (unclaimed === undefined || unclaimed === "") return set;
  const ms = parseInterval(unclaimed);
  if (ms === undefined) throw new RetryAfterError("PS_POOL_LIFESPAN", `Failed to parse unclaimed time interval: ${unclaimed}`, RETRY_MS);
  // Nothing sensible can be meant by handles that are past their end when they are made.
  if (ms === 0) return set;
  return { ...set, end: formatTimestamp(context.clock.now() + ms) };
}
