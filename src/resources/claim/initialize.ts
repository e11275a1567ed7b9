// The claim's first metadata and spec writes, folded into one patch (spec resource-claim M4, M6, M7): finalizer, the provider's
// labels and annotations, the init annotation, and in resources form providers and defaults of each entry.
import { equal, fillIn, isRecord } from "../../kube/patch.ts";
import type { PatchOperation } from "../../kube/types.ts";
import { RetryAfterError } from "../../runtime/errors.ts";
import { formatTimestamp } from "../../templating/interval.ts";
import { finalizerOperations } from "../finalizer.ts";
import type { Context } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import { nameOf } from "../provider/generate.ts";
import { findProvider } from "../provider/lookup.ts";
import { matchProvider } from "../provider/match.ts";
import type { Reference, ResourceProvider } from "../provider/types.ts";
import type { ClaimResource, ClaimResourceStatus, ResourceClaim } from "./types.ts";

/** Finalizer and what the provider imposes; with `init`, the init annotation too. */
export function metadataOperations(
  claim: ResourceClaim,
  provider: ResourceProvider | undefined,
  { init, context }: { init: boolean; context: Context },
): PatchOperation[] {
  const names = namesOf(context.settings);
  const { labels = {}, annotations = {} } = claim.metadata;
  const stamp =
    init && annotations[names.initTimestamp] === undefined ? { [names.initTimestamp]: formatTimestamp(context.clock.now()) } : {};
  const wantedLabels = { ...labels, ...provider?.spec.resourceClaimLabels };
  const wantedAnnotations = { ...annotations, ...provider?.spec.resourceClaimAnnotations, ...stamp };
  return [
    ...finalizerOperations(claim.metadata, names.finalizer),
    ...(equal(labels, wantedLabels) ? [] : [{ op: "add", path: "/metadata/labels", value: wantedLabels } as const]),
    ...(equal(annotations, wantedAnnotations) ? [] : [{ op: "add", path: "/metadata/annotations", value: wantedAnnotations } as const]),
  ];
}

/** Resources form: a provider for each entry (M6), or the status list as it is when it is complete. */
export async function assignProviders(claim: ResourceClaim, context: Context): Promise<readonly ClaimResourceStatus[]> {
  const wanted = claim.spec.resources ?? [];
  const present = claim.status?.resources ?? [];
  if (wanted.length === 0) throw deferred(`ResourceClaim ${nameOf(claim)} in ${claim.metadata.namespace} has no resources`, 600);
  if (present.length >= wanted.length && present.every(({ provider }) => provider !== undefined)) return present;
  return Promise.all(
    wanted.map(async (entry, index): Promise<ClaimResourceStatus> => {
      const provider = await providerOf(entry, context);
      const state = present[index]?.state;
      return {
        ...(entry.name === undefined ? {} : { name: entry.name }),
        provider: providerReference(provider, context),
        ...(state === undefined ? {} : { state }),
      };
    }),
  );
}

async function providerOf(entry: ClaimResource, context: Context): Promise<string> {
  if ((entry.provider?.name ?? "") !== "") return nameOf(await findProvider(entry.provider?.name ?? "", context));
  if (!entry.template)
    throw deferred("ResourceClaim spec.resources require either an explicit provider or a resource template to match.", 600);
  return matchProvider(entry.template, context);
}

export function providerReference(name: string, context: Context): Reference {
  const { apiVersion, kind } = refOf("ResourceProvider", context.settings, "", "");
  return { apiVersion, kind, name, namespace: context.settings.namespace };
}

/** Resources form, once: completed references and defaults (M7). */
export async function initializedResources(
  claim: ResourceClaim,
  statuses: readonly ClaimResourceStatus[],
  context: Context,
): Promise<readonly ClaimResource[]> {
  return Promise.all(
    (claim.spec.resources ?? []).map(async (entry, index): Promise<ClaimResource> => {
      const reference = statuses[index]?.provider;
      if (!reference) return entry;
      const provider = await findProvider(reference.name, context);
      const template = withDefaults(claim, { entry, index, provider }, context);
      return { ...entry, provider: reference, ...(Object.keys(template).length > 0 ? { template } : {}) };
    }),
  );
}

function withDefaults(
  claim: ResourceClaim,
  { entry, index, provider }: { entry: ClaimResource; index: number; provider: ResourceProvider },
  context: Context,
): Record<string, unknown> {
  const { spec } = provider;
  const defaults =
    spec.template?.enable === true
      ? context.templating.render(spec.default ?? {}, {
          style: spec.template.style,
          templateVariables: spec.vars,
          source: `ResourceProvider ${nameOf(provider)} spec.default`,
          variables: { resource_claim: claim, resource_index: index, resource_name: entry.name ?? null, resource_provider: provider },
        }).value
      : (spec.default ?? {});
  const filled = fillIn(fillIn(entry.template ?? {}, defaults), schemaDefaults(spec.validation?.openAPIV3Schema) ?? {});
  return isRecord(filled) ? filled : {};
}

/** Defaults that a schema declares for properties, objects searched, lists not; undefined for none. */
export function schemaDefaults(schema: unknown): Record<string, unknown> | undefined {
  if (!isRecord(schema) || !isRecord(schema["properties"])) return undefined;
  const found: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema["properties"])) {
    if (!isRecord(property)) continue;
    const value = (property["type"] === "object" ? schemaDefaults(property) : undefined) ?? property["default"];
    if (value !== undefined) found[name] = value;
  }
  return Object.keys(found).length > 0 ? found : undefined;
}

export function deferred(message: string, seconds: number): RetryAfterError {
  return new RetryAfterError("PS_CLAIM_DEFERRED", message, seconds * 1000);
}
