// Which differences between a live object and its definition may be written (spec resource-handle 3.9): the first rule whose
// path matches decides, nothing matches by default, ours are the ownership annotations.
import { RE2JS } from "re2js";
import { diff } from "../../kube/patch.ts";
import type { PatchOperation } from "../../kube/types.ts";
import type { UpdateFilter } from "../provider/types.ts";

const ALL_OPS: readonly string[] = ["add", "remove", "replace"];

/** The operations that bring `live` to `definition`, as far as the filters let them. Patterns are anchored, and linear-time. */
export function allowedChanges(
  live: unknown,
  definition: unknown,
  rules: { readonly filters: readonly UpdateFilter[]; readonly domain: string },
): PatchOperation[] {
  const own: UpdateFilter = { pathMatch: `/metadata/annotations/${RE2JS.quote(rules.domain)}~1resource-.*` };
  const compiled = [...rules.filters, own].map((filter) => ({
    pattern: RE2JS.compile(filter.pathMatch),
    ops: filter.allowedOps ?? ALL_OPS,
  }));
  return diff(live, definition).filter((operation) => {
    const rule = compiled.find(({ pattern }) => pattern.matches(operation.path));
    return rule?.ops.includes(operation.op) === true;
  });
}
