// What a managed object should look like (spec resource-handle 3.8, 1.7): template, override over it, name, ownership annotations.
import { deepMerge, isRecord } from "../../kube/patch.ts";
import type { KubeObject } from "../../kube/types.ts";
import { RetryAfterError } from "../../runtime/errors.ts";
import type { Context } from "../kind.ts";
import { namesOf } from "../names.ts";
import { nameOf, templateVars } from "../provider/generate.ts";
import type { ResourceEntry, ResourceProvider, Values } from "../provider/types.ts";
import type { Requester } from "./requester.ts";
import { requesterAnnotations } from "./requester.ts";
import type { ObjectReference, ResourceHandle, ResourceStatus } from "./types.ts";
import { handleVariable } from "./variable.ts";
import { guidOf } from "./view.ts";

const DEFERRED_MS = 600_000;

export interface DefinitionInput {
  readonly handle: ResourceHandle;
  readonly claim: KubeObject | undefined;
  readonly entry: ResourceEntry;
  readonly index: number;
  readonly provider: ResourceProvider;
  readonly states: readonly (KubeObject | undefined)[];
  readonly statuses: readonly ResourceStatus[];
  /** Gathered from linked resources' states. */
  readonly linkedVars: Values;
  readonly requester: Requester;
}

export interface Definition {
  readonly object: KubeObject;
  readonly readsClock: boolean;
}

/** Throws RetryAfterError when the result has no apiVersion or kind. */
export function buildDefinition(input: DefinitionInput, context: Context): Definition {
  const { provider, entry, handle } = input;
  const override = renderOverride(input, context);
  const merged = deepMerge(entry.template ?? {}, override.value ?? {});
  const body = isRecord(merged) ? merged : {};
  for (const member of ["apiVersion", "kind"] as const) {
    if (typeof body[member] === "string" && body[member] !== "") continue;
    const article = member === "apiVersion" ? "an apiVersion" : "a kind";
    throw new RetryAfterError(
      "PS_HANDLE_DEFINITION",
      `Template processing by ResourceProvider ${nameOf(provider)} for ResourceHandle ${nameOf(handle)} produced definition without ${article}!`,
      DEFERRED_MS,
    );
  }
  const metadata = isRecord(body["metadata"]) ? body["metadata"] : {};
  const object = { ...body, metadata: completeMetadata(metadata, input, context) } as unknown as KubeObject;
  return { object: pinned(object, entry), readsClock: override.readsClock };
}

function renderOverride(input: DefinitionInput, context: Context): { readonly value: unknown; readonly readsClock: boolean } {
  const { provider, handle } = input;
  const { override, template } = provider.spec;
  if (!override || template?.enable !== true) return { value: override, readsClock: false };
  return context.templating.render(override, {
    style: template.style,
    variables: { ...handle.spec.vars, ...input.linkedVars, ...requesterVariables(input.requester), ...resourceVariables(input) },
    templateVariables: templateVars(provider.spec, handle.spec.vars),
    source: `ResourceProvider ${nameOf(provider)} spec.override`,
  });
}

function requesterVariables({ user, identities }: Requester): Values {
  return { requester_identities: identities, requester_identity: identities[0] ?? null, requester_user: user ?? null };
}

function resourceVariables({ provider, handle, claim, entry, index, states }: DefinitionInput): Values {
  const entries: readonly ResourceEntry[] = handle.spec.resources ?? [];
  return {
    guid: guidOf(handle),
    resource_provider: provider,
    resource_handle: handleVariable(handle),
    resource_claim: claim ?? null,
    resource_index: index,
    resource_name: entry.name ?? null,
    resource_reference: pinOf(entry) ?? {},
    resource_references: entries.map((one) => pinOf(one) ?? null),
    resource_state: states[index] ?? null,
    resource_states: states.map((state) => state ?? null),
    resource_template: entry.template ?? null,
    resource_templates: entries.map(({ template }) => template ?? null),
  };
}

// The reference in an entry of the spec: an old place, still honoured where it stands (spec resource-handle 1.5, 3.8 step 6).
function pinOf(entry: ResourceEntry & { readonly reference?: ObjectReference }): ObjectReference | undefined {
  return entry.reference;
}

function pinned(object: KubeObject, entry: ResourceEntry): KubeObject {
  const pin = pinOf(entry);
  if (!pin) return object;
  for (const member of ["apiVersion", "kind"] as const) {
    if (pin[member] !== object[member])
      throw new RetryAfterError("PS_HANDLE_REFERENCE", `Unable to change ${member} for resource!`, DEFERRED_MS);
  }
  const { name, namespace } = pin;
  return { ...object, metadata: { ...object.metadata, name, ...(namespace === undefined ? {} : { namespace }) } };
}

function completeMetadata(metadata: Record<string, unknown>, input: DefinitionInput, context: Context): Record<string, unknown> {
  const { handle, index } = input;
  const named = typeof metadata["name"] === "string" && metadata["name"] !== "";
  const generateName =
    typeof metadata["generateName"] === "string" && metadata["generateName"] !== "" ? metadata["generateName"] : `guid${index}-`;
  const name = named ? {} : { generateName, name: `${generateName}${guidOf(handle)}` };
  const labels = { ...(isRecord(metadata["labels"]) ? metadata["labels"] : {}), ...handle.spec.resourceLabels };
  const given = isRecord(metadata["annotations"]) ? metadata["annotations"] : {};
  return {
    ...metadata,
    ...name,
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    annotations: { ...given, ...handle.spec.resourceAnnotations, ...ownership(input, context) },
  };
}

function ownership({ handle, entry, index, claim, requester }: DefinitionInput, context: Context): Record<string, string> {
  const names = namesOf(context.settings);
  const pool = handle.spec.resourcePool;
  return {
    [names.providerName]: entry.provider.name,
    [names.providerNamespace]: entry.provider.namespace,
    [names.handleName]: nameOf(handle),
    [names.handleNamespace]: handle.metadata.namespace ?? "",
    [names.handleUid]: handle.metadata.uid ?? "",
    [names.index]: String(index),
    ...(claim ? { [names.claimName]: claim.metadata.name ?? "", [names.claimNamespace]: claim.metadata.namespace ?? "" } : {}),
    ...(pool ? { [names.poolName]: pool.name, [names.poolNamespace]: pool.namespace } : {}),
    ...requesterAnnotations(requester, context.settings),
  };
}
