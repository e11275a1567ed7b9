// One pass over a pool (spec resource-pool-and-watch 3.5). Counts from a live list, never from a cache: a lagging count makes
// surplus handles that nothing removes (I3). One pass at a time by the key's lock.
import { ConflictError, NotFoundError } from "../../kube/errors.ts";
import { diff } from "../../kube/patch.ts";
import { digestOf } from "../digest.ts";
import { dropFinalizer, finalizerOperations } from "../finalizer.ts";
import type { ResourceHandle } from "../handle/types.ts";
import { asHandle, isLive } from "../handle/view.ts";
import type { Context, Request, Result } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import { poolHandle } from "./provision.ts";
import { planPool, poolEntry } from "./scale.ts";
import type { PoolPlan } from "./scale.ts";
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
  await fill(await claimPool(pool, context), context);
  return { digest };
}

/** With our finalizer on it, before the first handle exists. */
async function claimPool(pool: ResourcePool, context: Context): Promise<ResourcePool> {
  const operations = finalizerOperations(pool.metadata, namesOf(context.settings).finalizer);
  if (operations.length === 0) return pool;
  const guard = { op: "test", path: "/metadata/resourceVersion", value: pool.metadata.resourceVersion } as const;
  return (await context.client.patch(poolRef(pool, context), { type: "json", operations: [guard, ...operations] })) as unknown as ResourcePool;
}

async function fill(pool: ResourcePool, context: Context): Promise<void> {
  const plan = planPool(pool.spec, await unboundHandles(pool, context), 0);
  for (const handle of plan.remove) await deleteHandle(handle, context);
  const created: string[] = [];
  for (let count = 0; count < plan.create; count += 1) created.push(await createHandle(pool, context));
  await writeStatus(pool, { plan, created }, context);
}

/** Live unbound handles of this pool, oldest first. */
async function unboundHandles(pool: ResourcePool, context: Context): Promise<ResourceHandle[]> {
  const { settings, client } = context;
  const names = namesOf(settings);
  const { apiVersion, kind } = refOf("ResourceHandle", settings, settings.namespace, "");
  const name = pool.metadata.name ?? "";
  const found: ResourceHandle[] = [];
  for await (const page of client.list({ apiVersion, kind }, { namespace: settings.namespace, labelSelector: `${names.poolName}=${name}` })) {
    found.push(...page.items.map(asHandle));
  }
  return found
    .filter((handle) => isLive(handle) && handle.spec.resourceClaim === undefined && handle.spec.resourcePool?.name === name)
    .toSorted((left, right) => ((left.metadata.creationTimestamp ?? "") < (right.metadata.creationTimestamp ?? "") ? -1 : 1));
}

async function createHandle(pool: ResourcePool, context: Context): Promise<string> {
  const created = await context.client.create(await poolHandle(pool, context));
  context.log.info(`Created ResourceHandle ${created.metadata.name} for ResourcePool ${pool.metadata.name}`);
  return created.metadata.name ?? "";
}

async function deleteHandle(handle: ResourceHandle, context: Context): Promise<void> {
  const { apiVersion, kind, metadata } = handle;
  await context.client.delete({ apiVersion, kind, name: metadata.name ?? "", namespace: metadata.namespace }, { uid: metadata.uid }).catch((error: unknown) => {
    // Gone, or re-created under its name: either way not this one any more.
    if (!(error instanceof NotFoundError) && !(error instanceof ConflictError)) throw error;
  });
}

async function writeStatus(pool: ResourcePool, { plan, created }: { readonly plan: PoolPlan; readonly created: readonly string[] }, context: Context): Promise<void> {
  const status = {
    ...pool.status,
    resourceHandles: [...plan.keep.map(poolEntry), ...created.map((name) => ({ name }))],
    resourceHandleCount: { available: plan.available, ready: plan.ready },
  };
  const operations = pool.status ? diff(pool.status, status, "/status") : [{ op: "add", path: "/status", value: status } as const];
  if (operations.length === 0) return;
  const guard = { op: "test", path: "/metadata/resourceVersion", value: pool.metadata.resourceVersion } as const;
  await context.client.patch(poolRef(pool, context), { type: "json", operations: [guard, ...operations] }, { subresource: "status" });
}

/** Unbound handles go with the pool, bound ones stay with their claims; the finalizer waits for the former (G1). */
async function removePool(pool: ResourcePool, context: Context): Promise<void> {
  const handles = await unboundHandles(pool, context);
  for (const handle of handles) await deleteHandle(handle, context);
  await dropFinalizer(poolRef(pool, context), pool.metadata, context);
}

function poolRef(pool: ResourcePool, context: Context): ReturnType<typeof refOf> {
  return refOf("ResourcePool", context.settings, pool.metadata.namespace ?? "", pool.metadata.name ?? "");
}

