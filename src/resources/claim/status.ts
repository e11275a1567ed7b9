// The claim's mirror of its handle (spec resource-claim 9): entries with pruned states, health, summary, lifespan.
// Computes from live reads; reconcile.ts writes it with everything else of the status.
import { NotFoundError } from "../../kube/errors.ts";
import { isRecord } from "../../kube/patch.ts";
import type { KubeObject } from "../../kube/types.ts";
import { formatTimestamp } from "../../templating/interval.ts";
import type { ObjectReference, ResourceHandle } from "../handle/types.ts";
import { present } from "../handle/health.ts";
import type { Context } from "../kind.ts";
import { nameOf } from "../provider/generate.ts";
import { renderLifespan } from "./binding.ts";
import type { ClaimResourceStatus, ClaimStatus, ResourceClaim } from "./types.ts";

/** The status as the handle and its objects call for it; what is the claim's own stays. */
export async function mirrorHandle(claim: ResourceClaim, handle: ResourceHandle, context: Context): Promise<ClaimStatus> {
  const { healthy: _, ready: __, summary: ___, ...rest } = claim.status ?? {};
  const handleStatus = handle.status ?? {};
  const own = claim.status?.resources ?? [];
  const entries = await Promise.all(
    (handleStatus.resources ?? []).map(async (entry, index): Promise<ClaimResourceStatus> => {
      const current = own[index] ?? {};
      const live = entry.reference && (await readState(entry.reference, context));
      const state = live ? pruned(live, context.settings.domain) : current.state;
      return {
        ...present("provider", handle.spec.resources?.[index]?.provider ?? current.provider),
        ...entry,
        ...present("name", current.name ?? entry.name),
        ...present("validationError", current.validationError),
        ...present("state", state),
      };
    }),
  );
  return {
    ...rest,
    resources: [...entries, ...own.slice(entries.length)],
    lifespan: lifespanOf(claim, handle, context),
    ...present("healthy", handleStatus.healthy),
    ...present("ready", handleStatus.ready),
    ...present("summary", handleStatus.summary),
  };
}

async function readState(reference: ObjectReference, context: Context): Promise<KubeObject | undefined> {
  try {
    return await context.client.get(reference);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** spec resource-claim 9.4, pruning of state. */
export function pruned(object: KubeObject, domain: string): unknown {
  const {
    generation: _,
    managedFields: __,
    annotations = {},
    ...metadata
  } = object.metadata as KubeObject["metadata"] & { managedFields?: unknown };
  const kept = Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith(`${domain}/`)));
  const status = object["status"];
  return {
    ...object,
    metadata: { ...metadata, ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}) },
    ...(isRecord(status) ? { status: Object.fromEntries(Object.entries(status).filter(([key]) => key !== "diffBase")) } : {}),
  };
}

function lifespanOf(claim: ResourceClaim, handle: ResourceHandle, context: Context): NonNullable<ClaimStatus["lifespan"]> {
  const now = formatTimestamp(context.clock.now());
  const rendered = renderLifespan(handle, claim, context);
  const current = claim.status?.lifespan;
  const firstReady = current?.firstReady ?? (handle.status?.ready === true ? now : undefined);
  return {
    start: current?.start ?? now,
    ...present("end", handle.spec.lifespan?.end),
    ...present("maximum", rendered.maximum),
    ...present("relativeMaximum", rendered.relativeMaximum),
    ...present("firstReady", firstReady),
  };
}

/** `status.resourceHandle` for a bound handle. */
export function handleReference(handle: ResourceHandle): NonNullable<ClaimStatus["resourceHandle"]> {
  return { apiVersion: handle.apiVersion, kind: handle.kind, name: nameOf(handle), namespace: handle.metadata.namespace ?? "" };
}
