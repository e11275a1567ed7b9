// What a valid claim changes on its bound handle (spec resource-claim 7): provider with effective values, new entries, templates,
// requested end of life. One patch that tests the version it was computed from.
import { deepMerge, equal } from "../../kube/patch.ts";
import type { PatchOperation } from "../../kube/types.ts";
import { formatTimestamp, parseTimestamp } from "../../templating/interval.ts";
import type { ResourceHandle } from "../handle/types.ts";
import type { Context } from "../kind.ts";
import { nameOf } from "../provider/generate.ts";
import type { ResourceEntry } from "../provider/types.ts";
import { patchObject } from "../write.ts";
import { intervalOf, renderLifespan } from "./binding.ts";
import type { ResourceClaim } from "./types.ts";

export async function propagate(
  claim: ResourceClaim,
  handle: ResourceHandle,
  { entries, context }: { entries: readonly ResourceEntry[]; context: Context },
): Promise<ResourceHandle> {
  const operations = [
    ...providerOperations(claim, handle),
    ...entries.flatMap((entry, index) => entryOperations(entry, handle.spec.resources?.[index], index)),
    ...endOperations(claim, handle, context),
  ];
  return patchObject(handle, operations, context);
}

function providerOperations(claim: ResourceClaim, handle: ResourceHandle): PatchOperation[] {
  const wanted = claim.spec.provider;
  if (!wanted) return handle.spec.provider ? [{ op: "remove", path: "/spec/provider" }] : [];
  const values = claim.status?.provider?.parameterValues ?? wanted.parameterValues;
  const value = wanted.parameterValues === undefined ? { name: wanted.name } : { ...wanted, parameterValues: values };
  return equal(handle.spec.provider ?? null, value) ? [] : [{ op: "add", path: "/spec/provider", value }];
}

function entryOperations(entry: ResourceEntry, stored: ResourceEntry | undefined, index: number): PatchOperation[] {
  const added: PatchOperation[] = stored ? [] : [{ op: "add", path: `/spec/resources/${index}`, value: { provider: entry.provider } }];
  if (Object.keys(entry.template ?? {}).length === 0) return added;
  const merged = deepMerge(stored?.template ?? {}, entry.template);
  if (equal(merged, stored?.template ?? {})) return added;
  return [...added, { op: "add", path: `/spec/resources/${index}/template`, value: merged }];
}

function endOperations(claim: ResourceClaim, handle: ResourceHandle, context: Context): PatchOperation[] {
  const requested = claim.spec.lifespan?.end === undefined ? undefined : parseTimestamp(claim.spec.lifespan.end);
  if (requested === undefined) return [];
  const limit = limitOf(claim, handle, context);
  if (requested > limit) {
    context.log.warn(
      `ResourceClaim ${nameOf(claim)} in ${claim.metadata.namespace} specifies lifespan end of ${claim.spec.lifespan?.end} which exceeds ResourceHandle ${nameOf(handle)} maximum of ${formatTimestamp(limit)}`,
    );
  }
  const end = formatTimestamp(Math.min(requested, limit));
  if (!handle.spec.lifespan) return [{ op: "add", path: "/spec/lifespan", value: { end } }];
  return parseTimestamp(handle.spec.lifespan.end ?? "") === parseTimestamp(end)
    ? []
    : [{ op: "add", path: "/spec/lifespan/end", value: end }];
}

function limitOf(claim: ResourceClaim, handle: ResourceHandle, context: Context): number {
  const { maximum, relativeMaximum } = renderLifespan(handle, claim, context);
  const base = parseTimestamp(claim.status?.lifespan?.firstReady ?? "") ?? startOf(claim);
  const absolute = intervalOf("maximum", maximum);
  const relative = intervalOf("relativeMaximum", relativeMaximum);
  return Math.min(
    absolute === undefined ? Number.POSITIVE_INFINITY : base + absolute,
    relative === undefined ? Number.POSITIVE_INFINITY : context.clock.now() + relative,
  );
}

/** When the claim's life began: bound, else wished, else created (M1). */
export function startOf(claim: ResourceClaim): number {
  const text = claim.status?.lifespan?.start ?? claim.spec.lifespan?.start ?? claim.metadata.creationTimestamp ?? "";
  return parseTimestamp(text) ?? 0;
}
