// Kubernetes Events about a changed end of life (spec resource-claim 1.5), posted before the status that they announce.
// An Event is for people: a failure to post it is logged and stops nothing.
import { formatTimestamp } from "../../templating/interval.ts";
import type { ResourceHandle } from "../handle/types.ts";
import type { Context } from "../kind.ts";
import { nameOf } from "../provider/generate.ts";
import type { ResourceClaim } from "./types.ts";

/** Posts one Event when the handle's end differs, as text, from the one that the claim's status shows. */
export async function announceLifespanEnd(claim: ResourceClaim, handle: ResourceHandle, context: Context): Promise<void> {
  const shown = claim.status?.lifespan;
  const end = handle.spec.lifespan?.end;
  if (!shown || shown.end === end) return;
  const who = `ResourceClaim ${nameOf(claim)} in ${claim.metadata.namespace}`;
  // The message names the previous end, "None" for none: as the reference words it.
  const [reason, message] =
    end === undefined
      ? ["Lifespan end cleared", `Cleared lifespan end for ${who} after removed from ResourceHandle ${nameOf(handle)}`]
      : ["Lifespan end changed", `Updated lifespan end to ${shown.end ?? "None"} for ${who} from ResourceHandle ${nameOf(handle)}`];
  const now = context.clock.now();
  try {
    await context.client.create({
      apiVersion: "v1",
      kind: "Event",
      metadata: { generateName: `${nameOf(claim)}-`, namespace: claim.metadata.namespace ?? "" },
      type: "Normal",
      reason,
      action: "LifespanChange",
      message,
      involvedObject: {
        apiVersion: context.settings.version,
        kind: "ResourceClaim",
        name: nameOf(claim),
        namespace: claim.metadata.namespace,
        uid: claim.metadata.uid,
      },
      reportingComponent: "poolboy",
      reportingInstance: context.settings.instance,
      eventTime: new Date(now).toISOString().replace("Z", "000Z"),
      firstTimestamp: formatTimestamp(now),
      lastTimestamp: formatTimestamp(now),
    });
  } catch (error) {
    context.log.warn({ err: error }, `Event of ${who} could not be posted`);
  }
}
