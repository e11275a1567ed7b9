// Deletion of a handle: its objects in order, each confirmed gone, then its claim, then the finalizer (spec resource-handle 5.2;
// G1: stricter than there, the finalizer stays until everything behind the handle is gone).
import { InvalidError, NotFoundError } from "../../kube/errors.ts";
import type { KubeObject, ObjectRef } from "../../kube/types.ts";
import { formatTimestamp } from "../../templating/interval.ts";
import type { Context, Result } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import { dropFinalizer } from "../finalizer.ts";
import { nameOf } from "../provider/generate.ts";
import { requireKind } from "./provider.ts";
import type { ResourceHandle } from "./types.ts";

const LOOK_AGAIN_MS = 2000;

export async function removeHandle(handle: ResourceHandle, context: Context): Promise<Result> {
  const names = namesOf(context.settings);
  if (
    !(handle.metadata.finalizers ?? []).some((finalizer) => finalizer === names.finalizer || finalizer.startsWith(`${names.finalizer}/`))
  ) {
    return {};
  }
  const references = (handle.status?.resources ?? []).flatMap(({ reference }) => (reference ? [reference] : []));
  let left = 0;
  for (const reference of references) {
    if (!(await removeObject(reference, handle, context))) left += 1;
  }
  await removeClaim(handle, context);
  if (left > 0) return { requeueAfterMs: LOOK_AGAIN_MS };
  await dropFinalizer(refOf("ResourceHandle", context.settings, context.settings.namespace, nameOf(handle)), handle.metadata, context);
  return {};
}

/** True when the object is gone, or is another handle's by now. */
async function removeObject(reference: ObjectRef, handle: ResourceHandle, context: Context): Promise<boolean> {
  try {
    const live = await context.client.get(reference);
    if (live.metadata.deletionTimestamp !== undefined) return false;
    await announce(live, context);
    await context.client.delete(reference, { uid: live.metadata.uid });
    context.log.info(
      `Propagating delete of ResourceHandle ${nameOf(handle)} to ${reference.apiVersion} ${reference.kind} ${reference.name}`,
    );
    await context.client.get(reference);
    return false;
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    // "No such kind" is no proof: its objects may be there again when its API is.
    await requireKind(reference, context);
    return true;
  }
}

// Tells watches and other controllers that this is an orderly removal.
async function announce(live: KubeObject, context: Context): Promise<void> {
  const { handleDeleted } = namesOf(context.settings);
  const body = {
    metadata: { resourceVersion: live.metadata.resourceVersion, annotations: { [handleDeleted]: formatTimestamp(context.clock.now()) } },
  };
  const { apiVersion, kind, metadata } = live;
  try {
    await context.client.patch({ apiVersion, kind, name: metadata.name ?? "", namespace: metadata.namespace }, { type: "merge", body });
  } catch (error) {
    // An object that its own schema refuses must still be deletable.
    if (!(error instanceof InvalidError)) throw error;
  }
}

async function removeClaim(handle: ResourceHandle, context: Context): Promise<void> {
  const bound = handle.spec.resourceClaim;
  if (!bound) return;
  const ref = refOf("ResourceClaim", context.settings, bound.namespace, bound.name);
  try {
    const claim = await context.client.get(ref);
    if (!followsHandle(claim, handle)) return;
    await context.client.delete(ref, { uid: claim.metadata.uid });
    context.log.info(`Propagated delete of ResourceHandle ${nameOf(handle)} to ResourceClaim ${bound.name} in ${bound.namespace}`);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}

// Not one that is detached, going already, or served by another handle by now.
function followsHandle(claim: KubeObject, handle: ResourceHandle): boolean {
  const status = claim["status"] as { readonly resourceHandle?: { readonly name?: string; readonly detached?: boolean } } | undefined;
  const own = status?.resourceHandle;
  if (claim.metadata.deletionTimestamp !== undefined || own?.detached === true) return false;
  return own === undefined || own.name === nameOf(handle);
}
