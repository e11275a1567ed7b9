// A change of a managed object → the handle that its annotations name (spec resource-pool-and-watch 5.5). Pure.
import type { DomainSettings, Mapped, ObjectChange } from "../kind.ts";
import { namesOf } from "../names.ts";

/** Nothing for objects that are not ours, or that we are deleting ourselves; a vanished one counts always. */
export function mapManaged({ type, object }: ObjectChange, settings: DomainSettings): Mapped[] {
  const names = namesOf(settings);
  const annotations = object.metadata.annotations ?? {};
  const name = annotations[names.handleName];
  if (name === undefined || name === "") return [];
  if (annotations[names.handleDeleted] !== undefined && type !== "DELETED") return [];
  const namespace = annotations[names.handleNamespace] ?? settings.namespace;
  return [{ kind: "resourcehandles", namespace, name, cause: "managed object", waking: false }];
}
