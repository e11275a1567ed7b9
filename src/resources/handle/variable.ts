// What a template sees as `resource_handle` (spec resource-handle 1.8, resource-provider 8.10): the object itself, and derived
// members under the names that providers use. Pure; members that need the clock are left to helpers such as isPast.
import type { ResourceHandle } from "./types.ts";
import { guidOf, healthOf } from "./view.ts";

/** The handle with its derived members; unknown ones are null. */
export function handleVariable(handle: ResourceHandle): Readonly<Record<string, unknown>> {
  return { ...handle, ...identity(handle), ...content(handle), ...relations(handle) };
}

function identity({ apiVersion, kind, metadata }: ResourceHandle): Record<string, unknown> {
  const { name = "", namespace = "", uid = "", labels = {}, annotations = {}, creationTimestamp, deletionTimestamp } = metadata;
  return {
    meta: metadata,
    name,
    namespace,
    uid,
    labels,
    annotations,
    api_group_version: apiVersion,
    creation_timestamp: creationTimestamp ?? null,
    deletion_timestamp: deletionTimestamp ?? null,
    is_deleting: deletionTimestamp !== undefined,
    reference: { apiVersion, kind, name, namespace },
    guid: guidOf({ metadata }),
  };
}

function content({ spec, status = {} }: ResourceHandle): Record<string, unknown> {
  const { vars = {}, resources = [], provider, preferenceScore = 0, resourceAnnotations = {}, resourceLabels = {} } = spec;
  return {
    status,
    vars,
    resources,
    status_resources: status.resources ?? [],
    parameter_values: provider?.parameterValues ?? {},
    preference_score: preferenceScore,
    resource_annotations: resourceAnnotations,
    resource_labels: resourceLabels,
  };
}

function relations(handle: ResourceHandle): Record<string, unknown> {
  const { resourceClaim, resourcePool, provider, lifespan } = handle.spec;
  return {
    ...named("resource_claim", resourceClaim),
    ...named("resource_pool", resourcePool),
    is_bound: resourceClaim !== undefined,
    is_from_resource_pool: resourcePool !== undefined,
    resource_provider_name: provider?.name ?? null,
    has_resource_provider: provider !== undefined,
    has_lifespan_end: lifespan?.end !== undefined,
    lifespan_end_timestamp: lifespan?.end ?? null,
    is_healthy: healthOf(handle) ?? null,
    is_ready: handle.status?.ready ?? null,
  };
}

function named(prefix: string, reference: { readonly name: string; readonly namespace: string } | undefined): Record<string, unknown> {
  return { [`${prefix}_name`]: reference?.name ?? null, [`${prefix}_namespace`]: reference?.namespace ?? null };
}
