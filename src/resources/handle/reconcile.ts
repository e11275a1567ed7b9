// One pass over a handle (spec resource-handle 3): read, decide, act. Level-triggered: everything is computed from what is live.
import { ConflictError, NotFoundError } from "../../kube/errors.ts";
import { equal } from "../../kube/patch.ts";
import type { KubeObject, PatchOperation } from "../../kube/types.ts";
import { parseTimestamp } from "../../templating/interval.ts";
import { digestOf } from "../digest.ts";
import { finalizerOperations } from "../finalizer.ts";
import type { Context, Request, Result } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import { generateResources, nameOf } from "../provider/generate.ts";
import type { Generated } from "../provider/generate.ts";
import type { ResourceEntry, Values } from "../provider/types.ts";
import { patchObject, patchStatus } from "../write.ts";
import { requireProvider, waitingFor } from "./provider.ts";
import { removeHandle } from "./remove.ts";
import { createMissing, loadManaged, manageEntries } from "./resources.ts";
import type { Managed } from "./resources.ts";
import { evaluateStatus } from "./status.ts";
import type { ResourceHandle } from "./types.ts";
import { handleVariable } from "./variable.ts";
import { asHandle } from "./view.ts";

// How soon to look again at an object that was there already: the watch usually tells earlier.
const ADOPTED_MS = 1000;

export async function reconcileHandle(request: Request, context: Context): Promise<Result> {
  const object = await readHandle(request, context);
  if (!object || (request.uid !== "" && object.metadata.uid !== request.uid)) return { gone: !object };
  const digest = digestOf(object);
  const handle = asHandle(object);
  if (handle.metadata.labels?.[namesOf(context.settings).ignore] !== undefined) return { digest };
  if (handle.metadata.deletionTimestamp !== undefined) return { ...(await removeHandle(handle, context)), digest };
  const claim = await findClaim(handle, context);
  if (await deletesItself(handle, claim, context)) return { digest };
  return manage(handle, claim, context);
}

async function readHandle({ namespace, name }: Request, context: Context): Promise<KubeObject | undefined> {
  try {
    return await context.client.get(refOf("ResourceHandle", context.settings, namespace, name));
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

// Live, not from the cache: its absence deletes the handle.
async function findClaim(handle: ResourceHandle, context: Context): Promise<KubeObject | undefined> {
  const bound = handle.spec.resourceClaim;
  if (!bound) return undefined;
  try {
    return await context.client.get(refOf("ResourceClaim", context.settings, bound.namespace, bound.name));
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

async function deletesItself(handle: ResourceHandle, claim: KubeObject | undefined, context: Context): Promise<boolean> {
  const end = handle.spec.lifespan?.end;
  const expired = end !== undefined && (parseTimestamp(end) ?? Number.POSITIVE_INFINITY) < context.clock.now();
  const bound = handle.spec.resourceClaim;
  const orphaned = bound !== undefined && !claim;
  if (!expired && !orphaned) return false;
  if (expired) context.log.info(`Deleting ResourceHandle ${nameOf(handle)} at end of lifespan (${end})`);
  else context.log.warn(`Propagating deletion of ResourceClaim ${bound?.name} in ${bound?.namespace} to ResourceHandle ${nameOf(handle)}`);
  const ref = refOf("ResourceHandle", context.settings, context.settings.namespace, nameOf(handle));
  await context.client.delete(ref, { uid: handle.metadata.uid }).catch((error: unknown) => {
    if (!(error instanceof NotFoundError)) throw error;
  });
  return true;
}

async function manage(read: ResourceHandle, claim: KubeObject | undefined, context: Context): Promise<Result> {
  const expansion = await expand(read, claim, context);
  const handle = await writeSpec(read, expansion.operations, context);
  const managed = await loadManaged(handle, claim, context);
  await manageEntries(managed, context);
  // References first: whatever is created after this is known to a deletion.
  const referenced = await writeReferences(managed, context);
  const adopted = await createMissing(managed, context);
  await patchStatus(referenced, await evaluateStatus(managed, context), context);
  const timers = [
    untilEnd(handle, context),
    adopted ? ADOPTED_MS : undefined,
    managed.readsClock || expansion.readsClock ? context.settings.manageIntervalMs.resourcehandles : undefined,
  ].filter((ms) => ms !== undefined);
  return { digest: digestOf(handle as unknown as KubeObject), requeueAfterMs: timers.length > 0 ? Math.min(...timers) : undefined };
}

async function writeReferences(managed: Managed, context: Context): Promise<ResourceHandle> {
  if (managed.creations.length === 0) return managed.handle;
  const { handle, statuses } = managed;
  return patchStatus(handle, { ...handle.status, resources: statuses }, context);
}

// A second past the end: "strictly before now" on whole seconds.
function untilEnd(handle: ResourceHandle, context: Context): number | undefined {
  const end = handle.spec.lifespan?.end;
  const at = end === undefined ? undefined : parseTimestamp(end);
  return at === undefined ? undefined : Math.max(0, at - context.clock.now()) + 1000;
}

interface Expansion {
  readonly operations: readonly PatchOperation[];
  readonly readsClock: boolean;
}

/** spec resource-handle 3.3: the list follows the top-level provider; providers of entries never change, none is removed. */
async function expand(handle: ResourceHandle, claim: KubeObject | undefined, context: Context): Promise<Expansion> {
  const top = handle.spec.provider;
  const claimSpec = claim?.["spec"] as { readonly provider?: unknown } | undefined;
  // A claim in resources form is about to take the provider off the handle.
  if (!top || (claim && claimSpec?.provider === undefined)) return { operations: [], readsClock: false };
  const { entries, readsClock } = await generated(handle, { name: top.name, claim }, context);
  const stored = handle.spec.resources;
  if (!stored) return { operations: [{ op: "add", path: "/spec/resources", value: entries }], readsClock };
  return {
    operations: entries.flatMap((entry, index) => entryOperations(entry, { stored: stored[index], index, handle }, context)),
    readsClock,
  };
}

async function generated(
  handle: ResourceHandle,
  top: { readonly name: string; readonly claim: KubeObject | undefined },
  context: Context,
): Promise<Generated> {
  const { name, claim } = top;
  const status = claim?.["status"] as { readonly provider?: { readonly parameterValues?: Values } } | undefined;
  const values = (claim ? status?.provider?.parameterValues : handle.spec.provider?.parameterValues) ?? {};
  const provider = await requireProvider(name, context);
  const input = { provider, values, claim: claim ?? null, handle: handleVariable(handle), handleVars: handle.spec.vars };
  return waitingFor(name, generateResources(input, context));
}

interface Stored {
  readonly stored: ResourceEntry | undefined;
  readonly index: number;
  readonly handle: ResourceHandle;
}

function entryOperations(entry: ResourceEntry, { stored, index, handle }: Stored, context: Context): PatchOperation[] {
  if (!stored) return [{ op: "add", path: `/spec/resources/${index}`, value: entry }];
  if (stored.provider.name !== entry.provider.name) {
    context.log.warn(
      `Refusing update resources in ResourceHandle ${nameOf(handle)} as it would change ResourceProvider from ${stored.provider.name} to ${entry.provider.name}`,
    );
  }
  const same = equal(stored.template ?? {}, entry.template ?? {});
  return same ? [] : [{ op: "add", path: `/spec/resources/${index}/template`, value: entry.template ?? {} }];
}

async function writeSpec(handle: ResourceHandle, expansion: readonly PatchOperation[], context: Context): Promise<ResourceHandle> {
  const operations = [...finalizerOperations(handle.metadata, namesOf(context.settings).finalizer), ...expansion];
  const written = await patchObject(handle, operations, context);
  if (written.metadata.deletionTimestamp !== undefined)
    throw new ConflictError("PS_KUBE_CONFLICT", "the handle is being deleted", { status: 409 });
  return written;
}
