// Whether a claim's wishes are valid, and what they amount to (spec resource-claim 3.2, 3.3). Computes; reconcile.ts writes.
import { messageOf } from "../../runtime/errors.ts";
import type { Context } from "../kind.ts";
import { nameOf, templateVars } from "../provider/generate.ts";
import { findProvider } from "../provider/lookup.ts";
import { evaluateParameters } from "../provider/parameters.ts";
import type { ParameterOutcome } from "../provider/parameters.ts";
import type { ResourceProvider, Values } from "../provider/types.ts";
import { schemaError } from "../provider/validate.ts";
import type { ResourceHandle } from "../handle/types.ts";
import type { ResourceClaim } from "./types.ts";

export interface ValidationInput {
  readonly claim: ResourceClaim;
  readonly handle: ResourceHandle | undefined;
}

/** Parameter values of the provider form, with every error found. */
export function validateParameters({ claim, handle }: ValidationInput, provider: ResourceProvider, context: Context): ParameterOutcome {
  const options = (values: Values, source: string): Parameters<Context["templating"]["render"]>[1] => ({
    style: provider.spec.template?.style,
    variables: { ...values, resource_claim: claim, resource_handle: handle ?? null, resource_provider: provider },
    templateVariables: templateVars(provider.spec, handle?.spec.vars),
    source: `ResourceProvider ${nameOf(provider)} ${source}`,
  });
  return evaluateParameters({
    spec: provider.spec,
    wanted: claim.spec.provider?.parameterValues ?? {},
    known: claim.status?.provider?.parameterValues,
    renderDefault: (template, values, name) =>
      context.templating.render(template, options(values, `parameter ${name} default.template`)).value,
    check: (expression, values, value) => context.templating.condition(expression, options({ ...values, value }, "parameter check")).value,
  });
}

/** One message per entry of the resources form; undefined where it is valid. */
export async function validateTemplates({ claim, handle }: ValidationInput, context: Context): Promise<(string | undefined)[]> {
  return Promise.all(
    (claim.spec.resources ?? []).map(async ({ template = {} }, index) => {
      const name = claim.status?.resources?.[index]?.provider?.name ?? "";
      const provider = await findProvider(name, context);
      const schema = provider.spec.validation?.openAPIV3Schema;
      return (schema && schemaError(schema, template)) ?? failedCheck({ claim, handle }, { provider, template }, context);
    }),
  );
}

function failedCheck(
  { claim, handle }: ValidationInput,
  { provider, template }: { provider: ResourceProvider; template: Values },
  context: Context,
): string | undefined {
  for (const { name, check } of provider.spec.validation?.checks ?? []) {
    try {
      const { value } = context.templating.condition(check, {
        style: provider.spec.template?.style,
        variables: { resource_claim: claim, resource_handle: handle ?? null, resource_provider: provider, ...template },
        templateVariables: templateVars(provider.spec, handle?.spec.vars),
        source: `ResourceProvider ${nameOf(provider)} validation check ${name}`,
      });
      if (!value) return `Validation check failed: ${name}`;
    } catch (error) {
      return `Validation check "${name}" failed with exception: ${messageOf(error)}`;
    }
  }
  return undefined;
}
