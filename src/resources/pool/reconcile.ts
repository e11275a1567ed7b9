// One pass over a pool (spec resource-pool-and-watch 3.5). Counts from a live list, never from a cache: a lagging count makes
// surplus handles that nothing removes (I3). One pass at a time by the key's lock.
import { ConflictError, NotFoundError } from "../../kube/errors.ts";
import { digestOf } from "../digest.ts";
import { dropFinalizer, finalizerOperations } from "../finalizer.ts";
import type { ResourceHandle } from "../handle/types.ts";
import { asHandle, isLive } from "../handle/view.ts";
import type { Context, Request, Result } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import { scalingLabel } from "../pool-scaling/view.ts";
import { patchObject, patchStatus } from "../write.ts";
import { poolHandle } from "./provision.ts";
import { countPool, planCreations, poolEntry } from "./scale.ts";
import { Scalings } from "./scalings.ts";
import type { ResourcePool } from "./types.ts";

export async function reconcilePool(request: Request, context: Context): Promise<Result> {
  const ref = refOf("ResourcePool", context.settings, request.namespace, request.name);
  const object = await context.client.get(ref).catch((error: unknown) => {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  });
  if (!object || (request.uid !== "" && object.metadata.uid !== request.uid)) return { gone: !object };
  const digest = digestOf(object);
  const pool = object as unknown as ResourcePool;
  if (pool.metadata.labels?.[namesOf(context.settings).ignore] !== undefined) return { digest };
  if (pool.metadata.deletionTimestamp !== undefined) {
    await removePool(pool, context);
    return { digest };
  }
  return { ...(await fill(await claimPool(pool, context), context)), digest };
}

/** With our finalizer on it, before the first handle exists. */
function claimPool(pool: ResourcePool, context: Context): Promise<ResourcePool> {
  const operations = finalizerOperations(pool.metadata, namesOf(context.settings).finalizer);
  return patchObject(pool, operations, context);
}

async function fill(pool: ResourcePool, context: Context): Promise<Result> {
  const count = countPool(pool.spec, await unboundHandles(pool, context));
  const scalings = await Scalings.of(pool.metadata.name ?? "", context);
  for (const handle of count.remove) await removeUnhealthy(handle, scalings, context);
  const created: string[] = [];
  for (const scaling of planCreations(pool.spec, count, scalings.demands()))
    created.push(await createHandle(pool, { scalings, scaling }, context));
  await scalings.settle();
  await patchStatus(
    pool,
    {
      ...pool.status,
      resourceHandles: [...count.keep.map(poolEntry), ...created.map((name) => ({ name }))],
      resourceHandleCount: { available: count.available, ready: count.ready },
    },
    context,
  );
  return { requeueAfterMs: scalings.nextInMs };
}

/** Live unbound handles of this pool, oldest first. */
async function unboundHandles(pool: ResourcePool, context: Context): Promise<ResourceHandle[]> {
  const { settings, client } = context;
  const names = namesOf(settings);
  const { apiVersion, kind } = refOf("ResourceHandle", settings, settings.namespace, "");
  const name = pool.metadata.name ?? "";
  const found: ResourceHandle[] = [];
  for await (const page of client.list(
    { apiVersion, kind },
    { namespace: settings.namespace, labelSelector: `${names.poolName}=${name}` },
  )) {
    found.push(...page.items.map(asHandle));
  }
  return found
    .filter((handle) => isLive(handle) && handle.spec.resourceClaim === undefined && handle.spec.resourcePool?.name === name)
    .toSorted((left, right) => ((left.metadata.creationTimestamp ?? "") < (right.metadata.creationTimestamp ?? "") ? -1 : 1));
}

async function createHandle(
  pool: ResourcePool,
  account: { readonly scalings: Scalings; readonly scaling: string | undefined },
  context: Context,
): Promise<string> {
  const { scalings, scaling } = account;
  const handle = await poolHandle(pool, scaling === undefined ? undefined : scalings.get(scaling), context);
  try {
    await context.client.create(handle);
  } catch (error) {
    // Made by an earlier pass that did not come to count it.
    if (scaling === undefined || !(error instanceof ConflictError)) throw error;
  }
  if (scaling !== undefined) await scalings.add(scaling, 1);
  const reason = scaling === undefined ? "min available" : `ResourcePoolScaling ${scaling}`;
  context.log.info(`Created ResourceHandle ${handle.metadata.name} for ResourcePool ${pool.metadata.name} (${reason})`);
  return handle.metadata.name ?? "";
}

async function removeUnhealthy(handle: ResourceHandle, scalings: Scalings, context: Context): Promise<void> {
  context.log.info(`Deleting unhealthy ResourceHandle ${handle.metadata.name}`);
  await deleteHandle(handle, context);
  const scaling = handle.metadata.labels?.[scalingLabel(context.settings)];
  if (scaling !== undefined) await scalings.add(scaling, -1);
}

async function deleteHandle(handle: ResourceHandle, context: Context): Promise<void> {
  const { apiVersion, kind, metadata } = handle;
  await context.client
    .delete({ apiVersion, kind, name: metadata.name ?? "", namespace: metadata.namespace }, { uid: metadata.uid })
    .catch((error: unknown) => {
      // Gone, or re-created under its name: either way not this one any more.
      if (!(error instanceof NotFoundError) && !(error instanceof ConflictError)) throw error;
    });
}

/**
 * Unbound handles go with the pool, bound ones stay with their claims. The finalizer goes when each deletion is accepted:
 * a handle's own finalizer keeps it until its objects are gone.
 */
async function removePool(pool: ResourcePool, context: Context): Promise<void> {
  const handles = await unboundHandles(pool, context);
  for (const handle of handles) await deleteHandle(handle, context);
  await dropFinalizer(poolRef(pool, context), pool.metadata, context);
}

function poolRef(pool: ResourcePool, context: Context): ReturnType<typeof refOf> {
  return refOf("ResourcePool", context.settings, pool.metadata.namespace ?? "", pool.metadata.name ?? "");
}
