// Ends of a claim (spec resource-claim 10): its own deletion, deletion by condition, detachment. The finalizer stays until the
// handle, and with it everything it made, is confirmed gone (G1).
import { ConflictError, NotFoundError } from "../../kube/errors.ts";
import { dropFinalizer } from "../finalizer.ts";
import type { ResourceHandle } from "../handle/types.ts";
import { isBoundTo } from "../handle/view.ts";
import type { Context, Result } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import { nameOf } from "../provider/generate.ts";
import { patchStatus } from "../write.ts";
import { claimReference, handleNameFor, readHandle } from "./binding.ts";
import type { ResourceClaim } from "./types.ts";

// The handle's deletion wakes the claim; this only guards against a lost event.
const LOOK_AGAIN_MS = 5000;

export async function removeClaim(claim: ResourceClaim, context: Context): Promise<Result> {
  const own = namesOf(context.settings).finalizer;
  if (!(claim.metadata.finalizers ?? []).some((finalizer) => finalizer === own || finalizer.startsWith(`${own}/`))) return {};
  const handle = await handleOf(claim, context);
  if (handle) {
    if (handle.metadata.deletionTimestamp === undefined) await deleteHandle(handle, context);
    return { requeueAfterMs: LOOK_AGAIN_MS };
  }
  await dropFinalizer(refOf("ResourceClaim", context.settings, claim.metadata.namespace ?? "", nameOf(claim)), claim.metadata, context);
  return {};
}

// Also the handle that a pass made just before it died, unrecorded.
async function handleOf(claim: ResourceClaim, context: Context): Promise<ResourceHandle | undefined> {
  const name = claim.status?.resourceHandle?.name ?? handleNameFor(claim.metadata.uid ?? "");
  const handle = await readHandle(name, context);
  return handle && isBoundTo(handle, claimReference(claim, context)) ? handle : undefined;
}

async function deleteHandle(handle: ResourceHandle, context: Context): Promise<void> {
  const ref = refOf("ResourceHandle", context.settings, handle.metadata.namespace ?? "", nameOf(handle));
  await tolerated(context.client.delete(ref, { uid: handle.metadata.uid }));
}

/** Deletes the claim itself; gone already is fine. */
export async function deleteClaim(claim: ResourceClaim, context: Context): Promise<void> {
  const ref = refOf("ResourceClaim", context.settings, claim.metadata.namespace ?? "", nameOf(claim));
  await tolerated(context.client.delete(ref, { uid: claim.metadata.uid }));
}

/** Marks the claim detached, then deletes the handle: in this order the handle's deletion leaves the claim alone. */
export async function detachClaim(claim: ResourceClaim, handle: ResourceHandle, context: Context): Promise<void> {
  const reference = claim.status?.resourceHandle;
  if (!reference) return;
  await patchStatus(claim, { ...claim.status, resourceHandle: { ...reference, detached: true } }, context);
  await deleteHandle(handle, context);
}

async function tolerated(deletion: Promise<void>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!(error instanceof NotFoundError) && !(error instanceof ConflictError)) throw error;
  }
}
