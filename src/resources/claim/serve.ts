// The second half of the claim pass (M7–M16): initialise, validate, bind, check conditions, propagate, mirror.
import type { ResourceHandle } from "../handle/types.ts";
import { isLive } from "../handle/view.ts";
import type { Context, Result } from "../kind.ts";
import { namesOf } from "../names.ts";
import { generateResources } from "../provider/generate.ts";
import type { ResourceEntry, ResourceProvider } from "../provider/types.ts";
import { patchObject, patchStatus } from "../write.ts";
import { findOrCreateHandle } from "./binding.ts";
import { conditionHolds } from "./conditions.ts";
import { assignProviders, initializedResources, metadataOperations } from "./initialize.ts";
import { propagate } from "./propagate.ts";
import { ended } from "./ended.ts";
import { announceLifespanEnd } from "./events.ts";
import { markFirstReady } from "./first-ready.ts";
import { deleteClaim, detachClaim } from "./remove.ts";
import { handleReference, mirrorHandle } from "./status.ts";
import type { ClaimResourceStatus, ClaimStatus, ResourceClaim } from "./types.ts";
import { validateParameters, validateTemplates } from "./validate.ts";

export interface ServeInput {
  readonly claim: ResourceClaim;
  readonly provider: ResourceProvider | undefined;
  readonly handle: ResourceHandle | undefined;
}

interface Wanted {
  readonly claim: ResourceClaim;
  readonly valid: boolean;
  readonly entries: readonly ResourceEntry[];
  readonly readsClock: boolean;
}

export async function serve(input: ServeInput, context: Context): Promise<Result> {
  const initialized = await initialize(input, context);
  const wanted = input.provider
    ? await wantedByProvider({ ...input, claim: initialized }, input.provider, context)
    : await wantedByResources({ ...input, claim: initialized }, context);
  // Invalid wishes stop here (M10); what the handle shows is mirrored all the same (9.1).
  if (!wanted.valid)
    return ended(input.handle && !isIgnored(input.handle, context) ? await mirror(wanted.claim, input.handle, context) : wanted.claim);
  const handle =
    input.handle ?? (await findOrCreateHandle({ claim: wanted.claim, entries: wanted.entries, provider: input.provider }, context));
  if (!handle) return ended(wanted.claim);
  return serveBound({ ...wanted, handle, provider: input.provider }, context);
}

async function initialize({ claim, provider }: ServeInput, context: Context): Promise<ResourceClaim> {
  const operations = metadataOperations(claim, provider, { init: true, context });
  if (provider) return patchObject(claim, operations, context);
  const assigned = await assignProviders(claim, context);
  const known = await patchStatus(claim, { ...claim.status, resources: assigned }, context);
  if (claim.metadata.annotations?.[namesOf(context.settings).initTimestamp] !== undefined) return patchObject(known, operations, context);
  const resources = await initializedResources(known, assigned, context);
  return patchObject(known, [...operations, { op: "replace", path: "/spec/resources", value: resources }], context);
}

async function wantedByProvider({ claim, handle }: ServeInput, provider: ResourceProvider, context: Context): Promise<Wanted> {
  const { values, errors } = validateParameters({ claim, handle }, provider, context);
  const { name } = claim.spec.provider ?? { name: "" };
  if (errors.length > 0) {
    const status = { ...claim.status, provider: { ...claim.status?.provider, name, validationErrors: errors } };
    return { claim: await patchStatus(claim, status, context), valid: false, entries: [], readsClock: false };
  }
  const { entries, readsClock } = await generateResources({ provider, values, claim, handle: null }, context);
  const resources =
    claim.status?.resources ??
    entries.map((entry): ClaimResourceStatus => ({ ...(entry.name === undefined ? {} : { name: entry.name }), provider: entry.provider }));
  const status: ClaimStatus = { ...claim.status, provider: { name, parameterValues: values }, resources };
  return { claim: await patchStatus(claim, status, context), valid: true, entries, readsClock };
}

async function wantedByResources({ claim, handle }: ServeInput, context: Context): Promise<Wanted> {
  const errors = await validateTemplates({ claim, handle }, context);
  const resources = (claim.status?.resources ?? []).map((entry, index): ClaimResourceStatus => {
    const { validationError, ...rest } = entry;
    // Entries beyond the spec keep theirs (E-23).
    const error = index < errors.length ? errors[index] : validationError;
    return error === undefined ? rest : { ...rest, validationError: error };
  });
  const written = await patchStatus(claim, { ...claim.status, resources }, context);
  const valid = resources.every(({ validationError }) => validationError === undefined);
  const entries = (claim.spec.resources ?? []).flatMap((entry, index): ResourceEntry[] => {
    const provider = resources[index]?.provider;
    if (!provider) return [];
    return [
      { provider, ...(entry.name === undefined ? {} : { name: entry.name }), ...(entry.template ? { template: entry.template } : {}) },
    ];
  });
  return { claim: written, valid, entries, readsClock: false };
}

interface BoundInput extends Wanted {
  readonly handle: ResourceHandle;
  readonly provider: ResourceProvider | undefined;
}

async function serveBound({ claim, handle, provider, entries, readsClock }: BoundInput, context: Context): Promise<Result> {
  const recorded = await record(claim, handle, context);
  if (isIgnored(handle, context) || !isLive(handle)) return ended(recorded);
  const known = await markFirstReady(recorded, handle, context);
  const propagated = await propagate(known, handle, { entries, context });
  const mirrored = await mirror(known, propagated, context);
  const autoDelete = conditionHolds("autoDelete", { claim: mirrored, handle: propagated, provider }, context);
  if (autoDelete.value) {
    await deleteClaim(mirrored, context);
    return ended(mirrored);
  }
  const autoDetach = conditionHolds("autoDetach", { claim: mirrored, handle: propagated, provider }, context);
  if (autoDetach.value) {
    await detachClaim(mirrored, propagated, context);
    return ended(mirrored, 1000);
  }
  const timed = readsClock || autoDelete.readsClock || autoDetach.readsClock;
  return ended(mirrored, timed ? context.settings.manageIntervalMs.resourceclaims : undefined);
}

function isIgnored(handle: ResourceHandle, context: Context): boolean {
  return handle.metadata.labels?.[namesOf(context.settings).ignore] !== undefined;
}

async function mirror(claim: ResourceClaim, handle: ResourceHandle, context: Context): Promise<ResourceClaim> {
  const status = await mirrorHandle(claim, handle, context);
  await announceLifespanEnd(claim, handle, context);
  return patchStatus(claim, status, context);
}

/** `status.resourceHandle` at once, before anything that may fail: a crash after it rebinds nothing (5.7). */
async function record(claim: ResourceClaim, handle: ResourceHandle, context: Context): Promise<ResourceClaim> {
  const reference = handleReference(handle);
  if (claim.status?.resourceHandle?.name === reference.name) return claim;
  const status = { ...claim.status, resourceHandle: reference };
  return patchStatus(claim, await mirrorHandle({ ...claim, status }, handle, context), context);
}
