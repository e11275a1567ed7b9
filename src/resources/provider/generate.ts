// The resource list that a top-level provider stands for (spec resource-claim 4, resource-handle 2.4): linked providers first,
// in order and recursively, then the provider's own resource.
import { isRecord } from "../../kube/patch.ts";
import type { Context } from "../kind.ts";
import { refOf } from "../kind.ts";
import { findProvider } from "./lookup.ts";
import { staticDefaults } from "./parameters.ts";
import type { LinkedProvider, ProviderSpec, ResourceEntry, ResourceProvider, Values } from "./types.ts";

export interface GenerateInput {
  readonly provider: ResourceProvider;
  readonly values: Values;
  /** The claim, or undefined for a pooled handle. */
  readonly claim: unknown;
  readonly handle: unknown;
  readonly handleVars?: Values | undefined;
  readonly resourceName?: string | undefined;
}

export interface Generated {
  readonly entries: readonly ResourceEntry[];
  readonly readsClock: boolean;
}

/** Throws NotFoundError for a missing linked provider, AppError PS_TEMPLATE_* for a failing template. */
export async function generateResources(input: GenerateInput, context: Context): Promise<Generated> {
  const { spec } = input.provider;
  const values = { ...staticDefaults(spec), ...input.values };
  const run = { entries: [] as ResourceEntry[], readsClock: false };
  for (const link of spec.linkedResourceProviders ?? []) {
    const linked = await linkedEntries(link, { ...input, values }, context);
    run.entries.push(...linked.entries);
    run.readsClock ||= linked.readsClock;
  }
  const own = renderOwn({ ...input, values }, context);
  return own ? { entries: [...run.entries, own.entry], readsClock: run.readsClock || own.readsClock } : run;
}

/** The provider's own entry; undefined for one that only links. */
function renderOwn(input: GenerateInput, context: Context): { readonly entry: ResourceEntry; readonly readsClock: boolean } | undefined {
  const { provider, values, claim, handle } = input;
  const { override, template, vars } = provider.spec;
  if (!override && !template?.definition) return undefined;
  const rendered = context.templating.render(template?.definition ?? {}, {
    style: template?.style,
    variables: { ...values, resource_claim: claim, resource_handle: handle, resource_provider: provider },
    templateVariables: { ...vars, ...input.handleVars },
    source: `ResourceProvider ${nameOf(provider)} spec.template.definition`,
  });
  return { entry: ownEntry(input, context, rendered.value), readsClock: rendered.readsClock };
}

function ownEntry({ provider, resourceName }: GenerateInput, context: Context, template: unknown): ResourceEntry {
  const { settings } = context;
  const { apiVersion, kind, name } = refOf("ResourceProvider", settings, settings.namespace, nameOf(provider));
  return {
    name: resourceName ?? provider.spec.resourceName ?? name,
    provider: { apiVersion, kind, name, namespace: settings.namespace },
    template: isRecord(template) ? template : {},
  };
}

async function linkedEntries(link: LinkedProvider, input: GenerateInput, context: Context): Promise<Generated> {
  const { provider: parent, values, claim, handle, handleVars } = input;
  const provider = await findProvider(link.name, context);
  const options = {
    style: parent.spec.template?.style,
    variables: { ...values, resource_claim: claim, resource_handle: handle, resource_provider: parent },
    templateVariables: { ...parent.spec.vars, ...handleVars },
    source: `ResourceProvider ${nameOf(parent)} spec.linkedResourceProviders ${link.name}`,
  };
  const when = link.when === undefined ? { value: true, readsClock: false } : context.templating.condition(link.when, options);
  if (!when.value) return { entries: [], readsClock: when.readsClock };
  const given = context.templating.render(link.parameterValues ?? {}, options);
  const linked = await generateResources(
    { provider, values: isRecord(given.value) ? given.value : {}, claim, handle, handleVars, resourceName: link.resourceName ?? link.name },
    context,
  );
  return { entries: linked.entries, readsClock: linked.readsClock || when.readsClock || given.readsClock };
}

export function nameOf(object: { readonly metadata: { readonly name?: string } }): string {
  return object.metadata.name ?? "";
}

/** The provider's variables: its vars, overlaid by a handle's. */
export function templateVars(spec: ProviderSpec, handleVars?: Values): Values {
  return { ...spec.vars, ...handleVars };
}
