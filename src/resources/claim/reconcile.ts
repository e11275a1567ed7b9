// One pass over a claim (spec resource-claim 3): the steps M1–M16 in their order. Level-triggered; the only writer of the claim.
import { NotFoundError } from "../../kube/errors.ts";
import type { KubeObject } from "../../kube/types.ts";
import { parseTimestamp } from "../../templating/interval.ts";
import { digestOf } from "../digest.ts";
import type { ResourceHandle } from "../handle/types.ts";
import { isLive } from "../handle/view.ts";
import type { Context, Request, Result } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import { nameOf } from "../provider/generate.ts";
import { findProvider } from "../provider/lookup.ts";
import type { ResourceProvider } from "../provider/types.ts";
import { patchObject, patchStatus } from "../write.ts";
import { readHandle } from "./binding.ts";
import { ended } from "./ended.ts";
import { deferred, metadataOperations } from "./initialize.ts";
import { startOf } from "./propagate.ts";
import { deleteClaim, removeClaim } from "./remove.ts";
import { serve } from "./serve.ts";
import type { ResourceClaim } from "./types.ts";

const DELETING_HANDLE_MS = 2000;

export async function reconcileClaim(request: Request, context: Context): Promise<Result> {
  const object = await readClaim(request, context);
  if (!object || (request.uid !== "" && object.metadata.uid !== request.uid)) return { gone: !object };
  const claim = object as unknown as ResourceClaim;
  if (claim.metadata.labels?.[namesOf(context.settings).ignore] !== undefined) return { digest: digestOf(object) };
  if (claim.metadata.deletionTimestamp !== undefined) return { ...(await removeClaim(claim, context)), digest: digestOf(object) };
  return pass(claim, atOneInstant(context));
}

/** One clock reading for the pass: start and end of a life are compared for exact equality (spec resource-claim 5.7, 8.5). */
function atOneInstant(context: Context): Context {
  const now = context.clock.now();
  return { ...context, clock: { now: () => now, monotonic: () => context.clock.monotonic() } };
}

async function readClaim({ namespace, name }: Request, context: Context): Promise<KubeObject | undefined> {
  try {
    return await context.client.get(refOf("ResourceClaim", context.settings, namespace, name));
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

async function pass(claim: ResourceClaim, context: Context): Promise<Result> {
  const wait = startOf(claim) - context.clock.now();
  if (wait > 0) return ended(claim, wait);
  if (claim.status?.resourceHandle?.detached === true) return detached(claim, context);
  const provider = await topProvider(claim, context);
  const approved = await approve(claim, provider, context);
  if (!approved.goOn) return ended(approved.claim);
  const bound = await fetchHandle(approved.claim, context);
  if (bound === "gone") {
    await deleteClaim(approved.claim, context);
    return ended(approved.claim);
  }
  // Being deleted: its deletion takes the claim with it; binding another one now would only be undone (E-9).
  if (bound && !isLive(bound)) return ended(approved.claim, DELETING_HANDLE_MS);
  return serve({ claim: approved.claim, provider, handle: bound }, context);
}

async function detached(claim: ResourceClaim, context: Context): Promise<Result> {
  const end = claim.status?.lifespan?.end;
  const at = end === undefined ? undefined : parseTimestamp(end);
  if (at === undefined) return ended(claim);
  if (at >= context.clock.now()) return ended(claim, at - context.clock.now() + 1000);
  await deleteClaim(claim, context);
  return ended(claim);
}

// M3: exactly one form; the provider's name never changes.
async function topProvider(claim: ResourceClaim, context: Context): Promise<ResourceProvider | undefined> {
  const { provider, resources } = claim.spec;
  const who = `ResourceClaim ${nameOf(claim)} in ${claim.metadata.namespace}`;
  if (provider && resources) throw deferred(`${who} has both spec.provider and spec.resources!`, 600);
  if (provider) return namedProvider(claim, provider.name, context);
  if (!resources) throw deferred(`${who} has neither spec.provider nor spec.resources!`, 600);
  return undefined;
}

async function namedProvider(claim: ResourceClaim, name: string, context: Context): Promise<ResourceProvider> {
  const stored = claim.status?.provider?.name;
  if (stored !== undefined && stored !== name) {
    throw deferred(`spec.provider value (${name}) does not match status.provider value (${stored})! spec.provider is immutable!`, 600);
  }
  try {
    return await findProvider(name, context);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    // The name is recorded all the same: from here on it is immutable (M3).
    await patchStatus(claim, { ...claim.status, provider: { ...claim.status?.provider, name } }, context);
    throw deferred(`ResourceProvider (${name}) not found`, 600);
  }
}

// A bound claim counts as approved, once its state is shown (quirk of M5).
function needsApproval({ status }: ResourceClaim, { spec }: ResourceProvider): boolean {
  if (spec.approval?.required !== true || status?.approval?.state === "approved") return false;
  return !(status?.approval && status.resourceHandle);
}

// M4, M5: what the provider imposes is written even while approval is pending.
async function approve(
  claim: ResourceClaim,
  provider: ResourceProvider | undefined,
  context: Context,
): Promise<{ readonly claim: ResourceClaim; readonly goOn: boolean }> {
  if (!provider || !needsApproval(claim, provider)) return { claim, goOn: true };
  const labelled = await patchObject(claim, metadataOperations(claim, provider, { init: false, context }), context);
  if (claim.status?.approval) return { claim: labelled, goOn: false };
  const status = {
    ...labelled.status,
    provider: { ...labelled.status?.provider, name: nameOf(provider) },
    approval: { state: "pending", message: provider.spec.approval?.pendingMessage ?? "Approval pending." },
  };
  return { claim: await patchStatus(labelled, status, context), goOn: false };
}

async function fetchHandle(claim: ResourceClaim, context: Context): Promise<ResourceHandle | undefined | "gone"> {
  const name = claim.status?.resourceHandle?.name;
  return name === undefined ? undefined : ((await readHandle(name, context)) ?? "gone");
}
