// From a valid claim to its handle (spec resource-claim 5, 6): the one it has already, the best free one, or a new one.
import { createHash } from "node:crypto";
import { ConflictError, NotFoundError } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/types.ts";
import { RetryAfterError } from "../../runtime/errors.ts";
import { formatInterval, formatTimestamp, parseInterval } from "../../templating/interval.ts";
import { bindHandle } from "../handle/bind.ts";
import { selectHandles } from "../handle/select.ts";
import type { ResourceHandle } from "../handle/types.ts";
import { asHandle, claimBucket, isBoundTo, isLive, UNBOUND } from "../handle/view.ts";
import type { Context } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import { nameOf } from "../provider/generate.ts";
import { findProvider } from "../provider/lookup.ts";
import type { Reference, ResourceEntry, ResourceProvider } from "../provider/types.ts";
import type { ResourceClaim } from "./types.ts";

const LOOK_AGAIN_MS = 2000;

export interface BindingInput {
  readonly claim: ResourceClaim;
  readonly entries: readonly ResourceEntry[];
  readonly provider: ResourceProvider | undefined;
}

/** The claim's handle, or undefined while creation is disabled and nothing suits. */
export async function findOrCreateHandle(input: BindingInput, context: Context): Promise<ResourceHandle | undefined> {
  const { claim } = input;
  return (await boundAlready(claim, context)) ?? (await bindBest(input, context)) ?? (await createUnlessDisabled(input, context));
}

export function claimReference(claim: ResourceClaim, context: Context): Reference & { readonly uid: string } {
  const { apiVersion, kind } = refOf("ResourceClaim", context.settings, "", "");
  return { apiVersion, kind, name: nameOf(claim), namespace: claim.metadata.namespace ?? "", uid: claim.metadata.uid ?? "" };
}

/** A name of its own per claim: an unknown outcome of the creation is settled by asking for the same name again. */
export function handleNameFor(uid: string): string {
  const bytes = createHash("sha256").update(uid).digest();
  return `guid-${Array.from(bytes.subarray(0, 10), (byte) => String.fromCodePoint(97 + (byte % 26))).join("")}`;
}

async function handles(bucket: string, context: Context, selector?: string): Promise<ResourceHandle[]> {
  const indexed = await context.cache.index("resourcehandles", bucket);
  if (indexed) return indexed.map(asHandle);
  const { apiVersion, kind } = refOf("ResourceHandle", context.settings, "", "");
  const found: ResourceHandle[] = [];
  const pages = context.client.list({ apiVersion, kind }, { namespace: context.settings.namespace, labelSelector: selector });
  for await (const page of pages) found.push(...page.items.map(asHandle));
  return found;
}

// A crash between "handle bound" and "claim status written", or a handle made by hand for this claim.
async function boundAlready(claim: ResourceClaim, context: Context): Promise<ResourceHandle | undefined> {
  const key = { namespace: claim.metadata.namespace ?? "", name: nameOf(claim) };
  for (const candidate of await handles(claimBucket(key.namespace, key.name), context)) {
    if (!isBoundTo(candidate, key)) continue;
    const live = await readHandle(nameOf(candidate), context);
    if (!live || !isBoundTo(live, key)) continue;
    // The handle of a predecessor of the same name, on its way out.
    if (!isLive(live))
      throw new RetryAfterError(
        "PS_CLAIM_WAITS",
        `ResourceHandle ${nameOf(live)} of an earlier claim of this name is still being deleted`,
        LOOK_AGAIN_MS,
      );
    context.log.warn(`Rebinding ResourceHandle ${nameOf(live)} to ResourceClaim ${key.name} in ${key.namespace}`);
    return live;
  }
  return undefined;
}

export async function readHandle(name: string, context: Context): Promise<ResourceHandle | undefined> {
  try {
    return asHandle(await context.client.get(refOf("ResourceHandle", context.settings, context.settings.namespace, name)));
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

async function bindBest({ claim, entries }: BindingInput, context: Context): Promise<ResourceHandle | undefined> {
  const names = namesOf(context.settings);
  const candidates = await handles(UNBOUND, context, `!${names.claimName}`);
  if (candidates.length === 0) return undefined;
  const providers = await Promise.all(entries.map((entry) => findProvider(entry.provider.name, context)));
  const now = context.clock.now();
  const wanted = {
    entries,
    now,
    matchIgnore: providers.map(({ spec }) => spec.matchIgnore ?? []),
    poolName: claim.metadata.annotations?.[names.poolName],
  };
  for (const candidate of selectHandles(candidates, wanted)) {
    const lifespan = renderLifespan(candidate, claim, context);
    const bound = await bindHandle(
      candidate,
      {
        claim: claimReference(claim, context),
        provider: claim.spec.provider,
        entries,
        lifespanEnd: lifespan.default === undefined ? undefined : formatTimestamp(now + lifespan.default),
      },
      context,
    );
    if (!bound) continue;
    if (bound.spec.resourcePool) {
      await context.enqueue([
        {
          kind: "resourcepools",
          namespace: context.settings.namespace,
          name: bound.spec.resourcePool.name,
          cause: "handle bound",
          waking: true,
        },
      ]);
    }
    return bound;
  }
  return undefined;
}

interface HandleLifespan {
  /** In ms; zero counts as not set. */
  readonly default?: number;
  readonly maximum?: string;
  readonly relativeMaximum?: string;
}

/** The handle's lifespan, rendered for this claim (spec resource-claim 8.2). */
export function renderLifespan(handle: ResourceHandle, claim: ResourceClaim, context: Context): HandleLifespan {
  const text = (key: "default" | "maximum" | "relativeMaximum"): string | undefined => {
    const raw = handle.spec.lifespan?.[key];
    if (raw === undefined || raw === "") return undefined;
    const { value } = context.templating.render(raw, {
      variables: { resource_claim: claim, resource_handle: handle },
      templateVariables: handle.spec.vars,
      source: `ResourceHandle ${nameOf(handle)} spec.lifespan.${key}`,
    });
    return typeof value === "string" ? value : JSON.stringify(value);
  };
  const initial = intervalOf("default", text("default"));
  const [maximum, relativeMaximum] = [text("maximum"), text("relativeMaximum")];
  return {
    ...(initial === undefined ? {} : { default: initial }),
    ...(maximum === undefined ? {} : { maximum }),
    ...(relativeMaximum === undefined ? {} : { relativeMaximum }),
  };
}

/** ms of an interval text; undefined for none or zero; a deferred error when it cannot be parsed. */
export function intervalOf(key: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const ms = parseInterval(text);
  if (ms === undefined) throw new RetryAfterError("PS_CLAIM_LIFESPAN", `Failed to parse ${key} time interval: ${text}`, 60_000);
  return ms === 0 ? undefined : ms;
}

async function createUnlessDisabled(input: BindingInput, context: Context): Promise<ResourceHandle | undefined> {
  const { claim, entries } = input;
  const providers = await Promise.all(entries.map((entry) => findProvider(entry.provider.name, context)));
  if (claim.spec.disableCreation === true || providers.some(({ spec }) => spec.disableCreation === true)) return undefined;
  const object = newHandle(input, providers, context);
  try {
    const created = await context.client.create(object);
    context.log.info(`Created ResourceHandle ${created.metadata.name} for ResourceClaim ${nameOf(claim)} in ${claim.metadata.namespace}`);
    return asHandle(created);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    return ownOrWait(object, claim, context);
  }
}

// 409: ours from an earlier attempt is done; one that is going away must be waited for.
async function ownOrWait(object: KubeObject, claim: ResourceClaim, context: Context): Promise<ResourceHandle> {
  const name = object.metadata.name ?? "";
  const existing = await readHandle(name, context);
  if (existing && isLive(existing) && isBoundTo(existing, claimReference(claim, context))) return existing;
  throw new RetryAfterError("PS_CLAIM_WAITS", `ResourceHandle ${name} exists and is not this claim's, or is being deleted`, LOOK_AGAIN_MS);
}

function newHandle({ claim, entries, provider }: BindingInput, providers: readonly ResourceProvider[], context: Context): KubeObject {
  const { settings } = context;
  const names = namesOf(settings);
  const { uid, ...reference } = claimReference(claim, context);
  const { apiVersion, kind } = refOf("ResourceHandle", settings, "", "");
  const lifespan = newLifespan(claim, provider ? [provider] : providers, context);
  return {
    apiVersion,
    kind,
    metadata: {
      name: handleNameFor(uid),
      generateName: "guid-",
      namespace: settings.namespace,
      finalizers: [names.finalizer],
      labels: { [names.claimName]: reference.name, [names.claimNamespace]: reference.namespace },
    },
    spec: {
      resourceClaim: reference,
      ...(claim.spec.provider ? { provider: claim.spec.provider } : {}),
      resources: entries,
      ...(Object.keys(lifespan).length > 0 ? { lifespan } : {}),
    },
  };
}

interface Rendered {
  readonly raw: string;
  readonly ms: number;
}

type LifespanKey = "default" | "maximum" | "relativeMaximum";

function shortestOf(
  key: LifespanKey,
  { claim, providers, context }: { claim: ResourceClaim; providers: readonly ResourceProvider[]; context: Context },
): Rendered | undefined {
  const all = providers.flatMap((provider) => {
    const raw = provider.spec.lifespan?.[key] ?? "";
    if (raw === "") return [];
    const { value } = context.templating.render(raw, {
      style: provider.spec.template?.style,
      variables: { resource_claim: claim },
      templateVariables: provider.spec.vars,
      source: `ResourceProvider ${nameOf(provider)} spec.lifespan.${key}`,
    });
    const ms = intervalOf(key, typeof value === "string" ? value : JSON.stringify(value));
    return ms === undefined ? [] : [{ raw, ms }];
  });
  return all.toSorted((left, right) => left.ms - right.ms)[0];
}

// spec resource-claim 6: the shortest of the providers' values; in provider form the end falls back to `maximum` twice (quirk).
function newLifespan(claim: ResourceClaim, providers: readonly ResourceProvider[], context: Context): Record<string, string> {
  const shortest = (key: LifespanKey): Rendered | undefined => shortestOf(key, { claim, providers, context });
  const [initial, maximum, relativeMaximum] = [shortest("default"), shortest("maximum"), shortest("relativeMaximum")];
  const relative = claim.spec.provider ? maximum : relativeMaximum;
  const span = initial ?? relative ?? maximum;
  const end = claim.spec.lifespan?.end ?? (span && formatTimestamp(context.clock.now() + span.ms));
  const members = { default: initial && formatInterval(initial.ms), end, maximum: maximum?.raw, relativeMaximum: relativeMaximum?.raw };
  return Object.fromEntries(Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
