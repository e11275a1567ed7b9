// autoDelete and autoDetach (spec resource-claim 10.1): an expression that fails counts as false and is logged.
import { messageOf } from "../../runtime/errors.ts";
import type { Rendered } from "../../templating/engine.ts";
import type { ResourceHandle } from "../handle/types.ts";
import type { Context } from "../kind.ts";
import { nameOf } from "../provider/generate.ts";
import type { ResourceProvider } from "../provider/types.ts";
import type { ResourceClaim } from "./types.ts";

export interface ConditionInput {
  readonly claim: ResourceClaim;
  readonly handle: ResourceHandle;
  readonly provider: ResourceProvider | undefined;
}

const WORDS = { autoDelete: "Auto delete", autoDetach: "Auto detach" } as const;

export function conditionHolds(
  which: "autoDelete" | "autoDetach",
  { claim, handle, provider }: ConditionInput,
  context: Context,
): Rendered<boolean> {
  const when = claim.spec[which]?.when ?? "";
  if (when === "") return { value: false, readsClock: false };
  try {
    return context.templating.condition(when, {
      style: provider?.spec.template?.style,
      variables: {
        resource_claim: claim,
        resource_handle: handle,
        resource_provider: provider ?? null,
        metadata: claim.metadata,
        spec: claim.spec,
        status: claim.status ?? {},
      },
      templateVariables: { ...provider?.spec.vars, ...handle.spec.vars },
      source: `ResourceClaim ${nameOf(claim)} spec.${which}.when`,
    });
  } catch (error) {
    context.log.warn(`${WORDS[which]} check failed for ResourceClaim ${nameOf(claim)} in ${claim.metadata.namespace}: ${messageOf(error)}`);
    return { value: false, readsClock: false };
  }
}
