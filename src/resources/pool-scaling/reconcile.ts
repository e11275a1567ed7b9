// One pass over a scaling (spec resource-pool-and-watch 4.2): the owner reference to its pool, so that it goes with it.
// Count and state are the pool pass's.
import { NotFoundError } from "../../kube/errors.ts";
import type { KubeObject, ObjectRef } from "../../kube/types.ts";
import { RetryAfterError } from "../../runtime/errors.ts";
import { digestOf } from "../digest.ts";
import type { Context, Request, Result } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import { patchObject } from "../write.ts";
import { asScaling } from "./view.ts";

const POOL_MISSING_MS = 60_000;

/** A missing pool is RetryAfterError; other failures propagate. */
export async function reconcileScaling(request: Request, context: Context): Promise<Result> {
  const ref = refOf("ResourcePoolScaling", context.settings, request.namespace, request.name);
  const object = await getOrUndefined(ref, context);
  if (!object || (request.uid !== "" && object.metadata.uid !== request.uid)) return { gone: !object };
  const { metadata } = object;
  const digest = digestOf(object);
  const left = metadata.deletionTimestamp !== undefined || metadata.labels?.[namesOf(context.settings).ignore] !== undefined;
  if (left || (metadata.ownerReferences ?? []).length > 0) return { digest };
  await own(object, context);
  return { digest };
}

async function own(object: KubeObject, context: Context): Promise<void> {
  const { settings } = context;
  const poolName = asScaling(object).spec.resourcePool.name;
  const pool = await getOrUndefined(refOf("ResourcePool", settings, settings.namespace, poolName), context);
  if (!pool)
    throw new RetryAfterError(
      "PS_SCALING_POOL",
      `ResourcePoolScaling ${object.metadata.name} names ResourcePool ${poolName}, which does not exist`,
      POOL_MISSING_MS,
    );
  const { apiVersion, kind, metadata } = pool;
  const owner = { apiVersion, kind, name: metadata.name ?? "", uid: metadata.uid ?? "", controller: true };
  await patchObject(object, [{ op: "add", path: "/metadata/ownerReferences", value: [owner] }], context);
}

async function getOrUndefined(ref: ObjectRef, context: Context): Promise<KubeObject | undefined> {
  try {
    return await context.client.get(ref);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
