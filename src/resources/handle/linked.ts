// Linked resources of an entry (spec resource-handle 3.6 step 2): what it waits for, and the variables it takes from them.
import type { KubeObject } from "../../kube/types.ts";
import { isRecord } from "../../kube/patch.ts";
import type { Context } from "../kind.ts";
import { nameOf, templateVars } from "../provider/generate.ts";
import type { LinkedProvider, ResourceProvider, Values } from "../provider/types.ts";
import type { ResourceHandle } from "./types.ts";
import { handleVariable } from "./variable.ts";

export interface LinkedInput {
  readonly handle: ResourceHandle;
  readonly claim: KubeObject | undefined;
  readonly index: number;
  readonly providers: readonly ResourceProvider[];
  readonly states: readonly (KubeObject | undefined)[];
}

export interface Linked {
  readonly waiting: boolean;
  readonly vars: Values;
  readonly readsClock: boolean;
}

export function linkedResources(input: LinkedInput, context: Context): Linked {
  const vars: Record<string, unknown> = {};
  let readsClock = false;
  for (const link of input.providers[input.index]?.spec.linkedResourceProviders ?? []) {
    const position = positionOf(link, input.handle);
    if (position < 0) continue;
    const state = input.states[position];
    const wait = mustWait(link, { ...input, position, vars }, context);
    readsClock ||= wait.readsClock;
    if (wait.value) return { waiting: true, vars, readsClock };
    for (const { name, from } of state ? (link.templateVars ?? []) : []) vars[name] = atPointer(state, from);
  }
  return { waiting: false, vars, readsClock };
}

function positionOf(link: LinkedProvider, handle: ResourceHandle): number {
  const wanted = link.resourceName ?? link.name;
  return (handle.spec.resources ?? []).findIndex(
    (entry) => entry.provider.name === link.name && (entry.name ?? entry.provider.name) === wanted,
  );
}

function mustWait(
  link: LinkedProvider,
  input: LinkedInput & { readonly position: number; readonly vars: Values },
  context: Context,
): { value: boolean; readsClock: boolean } {
  if (link.waitFor === undefined) return { value: false, readsClock: false };
  const { handle, claim, index, providers, states, position, vars } = input;
  const provider = providers[index];
  if (!states[position] || !provider) return { value: true, readsClock: false };
  const met = context.templating.condition(link.waitFor, {
    style: provider.spec.template?.style,
    variables: {
      ...vars,
      linked_resource_provider: providers[position],
      linked_resource_state: states[position],
      resource_claim: claim ?? null,
      resource_handle: handleVariable(handle),
      resource_provider: provider,
      resource_state: states[index] ?? null,
    },
    templateVariables: templateVars(provider.spec, handle.spec.vars),
    source: `ResourceProvider ${nameOf(provider)} linkedResourceProviders ${link.name} waitFor`,
  });
  return { value: !met.value, readsClock: met.readsClock };
}

/** The value at a JSON pointer; undefined where there is nothing. */
export function atPointer(value: unknown, pointer: string): unknown {
  const segments = pointer
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
  return segments.reduce<unknown>((current, segment) => {
    if (Array.isArray(current)) return current[Number(segment)] as unknown;
    return isRecord(current) && Object.hasOwn(current, segment) ? current[segment] : undefined;
  }, value);
}
