// Which provider a template belongs to (spec resource-claim M6 step 2): the one whose `match`, laid over it, changes nothing.
import { deepMerge, equal } from "../../kube/patch.ts";
import { RetryAfterError } from "../../runtime/errors.ts";
import type { Context } from "../kind.ts";
import { refOf } from "../kind.ts";
import { nameOf } from "./generate.ts";
import type { ResourceProvider } from "./types.ts";

/** True when the template has everything that `match` asks for. */
export function templateMatches(match: unknown, template: unknown): boolean {
  return equal(deepMerge(template, match), template);
}

/** Name of the one provider that matches; deferred errors for none and for several. */
export async function matchProvider(template: unknown, context: Context): Promise<string> {
  const { apiVersion, kind } = refOf("ResourceProvider", context.settings, "", "");
  const matching: string[] = [];
  for await (const page of context.client.list({ apiVersion, kind }, { namespace: context.settings.namespace })) {
    for (const item of page.items) {
      const provider = item as unknown as ResourceProvider;
      const { match } = provider.spec;
      if (match && Object.keys(match).length > 0 && templateMatches(match, template)) matching.push(nameOf(provider));
    }
  }
  const [name, another] = matching;
  if (name === undefined) throw new RetryAfterError("PS_CLAIM_DEFERRED", "Unable to match template to ResourceProvider", 60_000);
  if (another !== undefined)
    throw new RetryAfterError("PS_CLAIM_DEFERRED", "Resource template matches multiple ResourceProviders", 600_000);
  return name;
}
