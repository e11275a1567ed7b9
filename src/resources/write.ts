// The two ways in which a pass writes an object of ours: its status, and the rest. Both are JSON patches that test the version
// they were computed from (AC-14): a write that comes late is refused and computed again.
import { ConflictError, InvalidError } from "../kube/errors.ts";
import { diff } from "../kube/patch.ts";
import type { ObjectMeta, PatchOperation } from "../kube/types.ts";
import type { Context } from "./kind.ts";

interface OwnObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly status?: unknown;
}

/** Applies operations to the main resource; the object as the server then has it. Nothing is sent for none. */
export function patchObject<T extends OwnObject>(object: T, operations: readonly PatchOperation[], context: Context): Promise<T> {
  return guarded(object, operations, { context });
}

/** Brings the status to `status`; nothing is sent when nothing changes. */
export function patchStatus<T extends OwnObject>(object: T, status: object, context: Context): Promise<T> {
  const operations: PatchOperation[] =
    object.status === undefined ? [{ op: "add", path: "/status", value: status }] : diff(object.status, status, "/status");
  return guarded(object, operations, { context, subresource: "status" });
}

async function guarded<T extends OwnObject>(
  object: T,
  operations: readonly PatchOperation[],
  { context, subresource }: { context: Context; subresource?: "status" },
): Promise<T> {
  if (operations.length === 0) return object;
  const { apiVersion, kind, metadata } = object;
  const guard: PatchOperation = { op: "test", path: "/metadata/resourceVersion", value: metadata.resourceVersion };
  const ref = { apiVersion, kind, name: metadata.name ?? "", namespace: metadata.namespace };
  try {
    const written = await context.client.patch(ref, { type: "json", operations: [guard, ...operations] }, { subresource });
    return written as unknown as T;
  } catch (error) {
    if (isFailedTest(error))
      throw new ConflictError("PS_KUBE_CONFLICT", `${kind} ${metadata.name} has changed meanwhile`, { status: 409, cause: error });
    throw error;
  }
}

/**
 * True when the API refused a JSON patch because a `test` did not hold: a 422 with this general text, where a schema that is
 * violated is named (observed on Kubernetes 1.36).
 */
export function isFailedTest(error: unknown): boolean {
  return error instanceof InvalidError && error.message.includes("rejected our request due to an error in our request");
}
