// The first time a bound handle is seen ready (spec resource-claim 8.5): the default lifespan counts from here, and the instant
// is recorded. Both come from one clock reading. serve.ts propagates the new end right after.
import { formatTimestamp, parseTimestamp } from "../../templating/interval.ts";
import type { ResourceHandle } from "../handle/types.ts";
import type { Context } from "../kind.ts";
import { patchObject, patchStatus } from "../write.ts";
import { renderLifespan } from "./binding.ts";
import { startOf } from "./propagate.ts";
import type { ResourceClaim } from "./types.ts";

export async function markFirstReady(claim: ResourceClaim, handle: ResourceHandle, context: Context): Promise<ResourceClaim> {
  if (handle.status?.ready !== true || claim.status?.lifespan?.firstReady !== undefined) return claim;
  const now = context.clock.now();
  const initial = renderLifespan(handle, claim, context).default;
  const moved = initial === undefined || !endIsDefault(claim, initial) ? claim : await moveEnd(claim, now + initial, context);
  return patchStatus(moved, { ...moved.status, lifespan: { ...moved.status?.lifespan, firstReady: formatTimestamp(now) } }, context);
}

// A different, explicitly requested end is left alone.
function endIsDefault(claim: ResourceClaim, initial: number): boolean {
  const requested = claim.spec.lifespan?.end;
  return requested === undefined || (parseTimestamp(requested) ?? 0) - startOf(claim) === initial;
}

function moveEnd(claim: ResourceClaim, end: number, context: Context): Promise<ResourceClaim> {
  const value = { ...claim.spec.lifespan, end: formatTimestamp(end) };
  return patchObject(claim, [{ op: "add", path: "/spec/lifespan", value }], context);
}
