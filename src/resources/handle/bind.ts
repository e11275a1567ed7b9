// The bind patch (spec resource-claim 5.5): tests that the handle is unbound, so that exactly one claim gets it whatever is
// delayed or duplicated (AC-18). A reservation before it only spares the loser a request.
import { InvalidError, NotFoundError } from "../../kube/errors.ts";
import type { PatchOperation } from "../../kube/types.ts";
import type { Context } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import { nameOf } from "../provider/generate.ts";
import type { Reference, ResourceEntry } from "../provider/types.ts";
import type { ResourceHandle } from "./types.ts";
import { asHandle } from "./view.ts";

const RESERVED_MS = 5000;

export interface BindInput {
  readonly claim: Reference & { readonly uid: string };
  readonly provider: unknown;
  readonly entries: readonly ResourceEntry[];
  /** End of life for this claim, where the handle has a default. */
  readonly lifespanEnd?: string | undefined;
}

/** The bound handle, or undefined when it went to somebody else or away. */
export async function bindHandle(handle: ResourceHandle, input: BindInput, context: Context): Promise<ResourceHandle | undefined> {
  const name = nameOf(handle);
  if (!(await context.cache.reserve(name, input.claim.uid, RESERVED_MS))) return undefined;
  try {
    const ref = refOf("ResourceHandle", context.settings, context.settings.namespace, name);
    return asHandle(await context.client.patch(ref, { type: "json", operations: bindOperations(handle, input, context) }));
  } catch (error) {
    await context.cache.release(name, input.claim.uid);
    if (error instanceof NotFoundError || error instanceof InvalidError) return undefined;
    throw error;
  }
}

function label(key: string, value: string): PatchOperation {
  return { op: "add", path: `/metadata/labels/${key.replaceAll("/", "~1")}`, value };
}

function bindOperations(handle: ResourceHandle, input: BindInput, context: Context): PatchOperation[] {
  const names = namesOf(context.settings);
  const { uid: _, ...claim } = input.claim;
  return [
    { op: "test", path: "/spec/resourceClaim", value: null },
    { op: "test", path: "/metadata/uid", value: handle.metadata.uid },
    ...(handle.metadata.labels ? [] : [{ op: "add", path: "/metadata/labels", value: {} } as const]),
    label(names.claimName, claim.name),
    label(names.claimNamespace, claim.namespace),
    { op: "add", path: "/spec/resourceClaim", value: claim },
    ...(input.provider === undefined ? [] : [{ op: "add", path: "/spec/provider", value: input.provider } as const]),
    ...input.entries.flatMap((entry, index) => entryOperations(handle.spec.resources?.[index], entry, index)),
    ...endOperations(handle, input.lifespanEnd),
  ];
}

function entryOperations(have: ResourceEntry | undefined, want: ResourceEntry, index: number): PatchOperation[] {
  if (!have) {
    const name = want.name === undefined || want.name === "" ? {} : { name: want.name };
    return [{ op: "add", path: `/spec/resources/${index}`, value: { provider: want.provider, ...name } }];
  }
  return have.name === want.name ? [] : [{ op: "add", path: `/spec/resources/${index}/name`, value: want.name ?? null }];
}

function endOperations(handle: ResourceHandle, end: string | undefined): PatchOperation[] {
  if (end === undefined) return [];
  return handle.spec.lifespan
    ? [{ op: "add", path: "/spec/lifespan/end", value: end }]
    : [{ op: "add", path: "/spec/lifespan", value: { end } }];
}
