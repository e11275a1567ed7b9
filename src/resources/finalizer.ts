// Finalizers of our domain on our kinds: set with the first write, taken off with the last; those that the reference left
// behind (`D/…`) go with ours. Every write tests the list it was computed from.
import { InvalidError, NotFoundError, ConflictError } from "../kube/errors.ts";
import type { ObjectMeta, ObjectRef, PatchOperation } from "../kube/types.ts";
import type { Context } from "./kind.ts";
import { namesOf } from "./names.ts";

function isOurs(finalizer: string, own: string): boolean {
  return finalizer === own || finalizer.startsWith(`${own}/`);
}

/** Operations that leave exactly our finalizer among others' ones; none when it is so. */
export function finalizerOperations(metadata: ObjectMeta, own: string): PatchOperation[] {
  const present = metadata.finalizers ?? [];
  const ours = present.filter((finalizer) => isOurs(finalizer, own));
  if (ours.length === 1 && ours[0] === own) return [];
  return [{ op: "add", path: "/metadata/finalizers", value: [...present.filter((finalizer) => !isOurs(finalizer, own)), own] }];
}

/** Removes ours; gone already is fine. */
export async function dropFinalizer(ref: ObjectRef, metadata: ObjectMeta, context: Context): Promise<void> {
  const own = namesOf(context.settings).finalizer;
  const present = metadata.finalizers ?? [];
  const operations: PatchOperation[] = [
    { op: "test", path: "/metadata/uid", value: metadata.uid },
    { op: "test", path: "/metadata/finalizers", value: present },
    { op: "replace", path: "/metadata/finalizers", value: present.filter((finalizer) => !isOurs(finalizer, own)) },
  ];
  try {
    await context.client.patch(ref, { type: "json", operations });
  } catch (error) {
    if (error instanceof NotFoundError) return;
    // A failed test is somebody else's newer write: compute again.
    if (error instanceof InvalidError) throw new ConflictError("PS_KUBE_CONFLICT", error.message, { status: 409, cause: error });
    throw error;
  }
}
