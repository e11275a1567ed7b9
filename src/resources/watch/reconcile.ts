// One pass over a ResourceWatch: says in its status why nothing can be watched, as long as that is so. The watch itself is the
// leading controller's (managed-watches.ts), which keeps trying.
import { NotFoundError } from "../../kube/errors.ts";
import { isRecord } from "../../kube/patch.ts";
import type { KubeObject } from "../../kube/types.ts";
import { digestOf } from "../digest.ts";
import type { Context, Request, Result, WatchTarget } from "../kind.ts";
import { refOf } from "../kind.ts";
import { namesOf } from "../names.ts";
import { patchStatus } from "../write.ts";

const LOOK_AGAIN_MS = 600_000;

/** What a watch object asks to be watched; undefined when it does not say. */
export function watchTarget(object: KubeObject): WatchTarget | undefined {
  const spec = object["spec"];
  if (!isRecord(spec) || typeof spec["apiVersion"] !== "string" || typeof spec["kind"] !== "string") return undefined;
  const namespace = spec["namespace"];
  return { apiVersion: spec["apiVersion"], kind: spec["kind"], ...(typeof namespace === "string" ? { namespace } : {}) };
}

/** `status.error` is set while the API does not serve the kind, and absent otherwise; nothing else is written. */
export async function reconcileWatch(request: Request, context: Context): Promise<Result> {
  const ref = refOf("ResourceWatch", context.settings, request.namespace, request.name);
  const object = await context.client.get(ref).catch((error: unknown) => {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  });
  if (!object || (request.uid !== "" && object.metadata.uid !== request.uid)) return { gone: !object };
  const digest = digestOf(object);
  const { deletionTimestamp, labels } = object.metadata;
  const target = watchTarget(object);
  if (!target || deletionTimestamp !== undefined || labels?.[namesOf(context.settings).ignore] !== undefined) return { digest };
  const error = (await context.client.discover(target)) ? undefined : `API ${target.apiVersion} does not have kind ${target.kind}`;
  await report(object, error, context);
  return { digest, requeueAfterMs: error === undefined ? undefined : LOOK_AGAIN_MS };
}

async function report(object: KubeObject, error: string | undefined, context: Context): Promise<void> {
  const status = isRecord(object["status"]) ? object["status"] : {};
  if (status["error"] === error) return;
  const { error: _, ...rest } = status;
  await patchStatus(object, error === undefined ? rest : { ...rest, error }, context);
}
