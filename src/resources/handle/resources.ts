// The entries of a handle, in order: wait, define, record the reference, update what exists, schedule what does not
// (spec resource-handle 3.5, 3.6, 3.9, 3.10). References are stored before anything is created, so that a deletion always knows.
import { NotFoundError, ConflictError } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/types.ts";
import { RetryAfterError } from "../../runtime/errors.ts";
import type { Context } from "../kind.ts";
import { ensureWatch } from "../watch/ensure.ts";
import { patchObject } from "../write.ts";
import { nameOf } from "../provider/generate.ts";
import type { ResourceProvider } from "../provider/types.ts";
import { buildDefinition } from "./definition.ts";
import { linkedResources } from "./linked.ts";
import { requireKind, requireProvider } from "./provider.ts";
import { findRequester } from "./requester.ts";
import type { ObjectReference, ResourceHandle, ResourceStatus } from "./types.ts";
import { allowedChanges } from "./update-filters.ts";

const DEFERRED_MS = 600_000;

export interface Managed {
  readonly handle: ResourceHandle;
  readonly claim: KubeObject | undefined;
  readonly providers: readonly ResourceProvider[];
  /** Live objects by position; updated while the entries are worked through. */
  readonly states: (KubeObject | undefined)[];
  readonly statuses: ResourceStatus[];
  readonly creations: { readonly index: number; readonly object: KubeObject }[];
  readsClock: boolean;
}

/** Loads providers and live objects. A missing provider is RetryAfterError. */
export async function loadManaged(handle: ResourceHandle, claim: KubeObject | undefined, context: Context): Promise<Managed> {
  const entries = handle.spec.resources ?? [];
  const old = handle.status?.resources ?? [];
  const statuses = entries.map((entry, index): ResourceStatus => ({
    ...old[index],
    ...(entry.name === undefined ? {} : { name: entry.name }),
  }));
  const providers = await Promise.all(entries.map((entry) => requireProvider(entry.provider.name, context)));
  const states = await Promise.all(statuses.map(({ reference }) => readState(reference, context)));
  return { handle, claim, providers, states, statuses, creations: [], readsClock: false };
}

async function readState(reference: ObjectReference | undefined, context: Context): Promise<KubeObject | undefined> {
  if (!reference) return undefined;
  try {
    return await context.client.get(reference);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return undefined;
  }
}

/** Works through every entry; existing objects are updated at once, missing ones stand in `creations` afterwards. */
export async function manageEntries(managed: Managed, context: Context): Promise<void> {
  const requester = await findRequester(managed.claim, context);
  for (const [index, entry] of (managed.handle.spec.resources ?? []).entries()) {
    const provider = managed.providers[index];
    if (!provider) continue;
    if (provider.spec.resourceRequiresClaim === true && !managed.claim) {
      wait(managed, index, "ResourceClaim");
      continue;
    }
    const linked = linkedResources({ ...managed, index }, context);
    managed.readsClock ||= linked.readsClock;
    if (linked.waiting) {
      wait(managed, index, "Linked ResourceProvider");
      continue;
    }
    const definition = buildDefinition({ ...managed, entry, index, provider, linkedVars: linked.vars, requester }, context);
    managed.readsClock ||= definition.readsClock;
    await applyDefinition(managed, { index, provider, object: settle(managed, index, definition.object) }, context);
  }
}

function wait(managed: Managed, index: number, waitingFor: string): void {
  managed.statuses[index] = { ...managed.statuses[index], waitingFor };
}

// Records the reference, or holds the definition to the one that is stored.
function settle(managed: Managed, index: number, object: KubeObject): KubeObject {
  const { waitingFor: _, ...status } = managed.statuses[index] ?? {};
  const { reference } = status;
  if (!reference) {
    const { name = "", namespace } = object.metadata;
    const own: ObjectReference = {
      apiVersion: object.apiVersion,
      kind: object.kind,
      name,
      ...(namespace === undefined || namespace === "" ? {} : { namespace }),
    };
    managed.statuses[index] = { ...status, reference: own };
    return object;
  }
  for (const member of ["apiVersion", "kind"] as const) {
    if (reference[member] !== object[member]) {
      throw new RetryAfterError(
        "PS_HANDLE_REFERENCE",
        `ResourceHandle ${nameOf(managed.handle)} would change from ${member} ${reference[member]} to ${object[member]}!`,
        DEFERRED_MS,
      );
    }
  }
  managed.statuses[index] = status;
  const { namespace } = reference;
  return { ...object, metadata: { ...object.metadata, name: reference.name, ...(namespace === undefined ? {} : { namespace }) } };
}

interface Applied {
  readonly index: number;
  readonly provider: ResourceProvider;
  readonly object: KubeObject;
}

async function applyDefinition(managed: Managed, { index, provider, object }: Applied, context: Context): Promise<void> {
  await ensureWatch(object, context);
  const live = managed.states[index];
  if (!live) {
    await requireKind(object, context);
    managed.creations.push({ index, object });
    return;
  }
  const filters = provider.spec.updateFilters ?? [];
  const operations = allowedChanges(live, object, { filters, domain: context.settings.domain });
  if (operations.length === 0) return;
  const { apiVersion, kind, metadata } = live;
  managed.states[index] = await patchObject(live, operations, context);
  context.log.info(
    `Updated ${apiVersion} ${kind} ${metadata.name} in ${metadata.namespace ?? "cluster"} for ResourceHandle ${nameOf(managed.handle)}`,
  );
}

/** Creates what is missing; an object of that name that exists already is adopted by the next pass. True when one was there. */
export async function createMissing(managed: Managed, context: Context): Promise<boolean> {
  let adopted = false;
  for (const { index, object } of managed.creations) {
    try {
      managed.states[index] = await context.client.create(object);
      context.log.info(
        `Created ${object.apiVersion} ${object.kind} ${object.metadata.name} in ${object.metadata.namespace ?? "cluster"} for ResourceHandle ${nameOf(managed.handle)}`,
      );
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      adopted = true;
    }
  }
  return adopted;
}
