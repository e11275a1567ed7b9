// Parameter values of a claim: filled in and checked in the provider's order (spec resource-claim 3.2). Pure but for templates,
// which come in as two functions; who writes the outcome is claim/validate.ts.
import { equal } from "../../kube/patch.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { Parameter, ProviderSpec, Values } from "./types.ts";
import { schemaError } from "./validate.ts";

export interface ParameterInput {
  readonly spec: ProviderSpec;
  readonly wanted: Values;
  /** Values of the last successful validation; undefined before the first. */
  readonly known: Values | undefined;
  readonly renderDefault: (template: string, values: Values, name: string) => unknown;
  readonly check: (expression: string, values: Values, value: unknown) => boolean;
}

export interface ParameterOutcome {
  readonly values: Values;
  readonly errors: readonly string[];
}

function staticDefault(parameter: Parameter): unknown {
  if (parameter.default?.value !== undefined) return parameter.default.value;
  return parameter.validation?.openAPIV3Schema?.["default"];
}

/** Value defaults, without template defaults (spec resource-claim 4, step 1). */
export function staticDefaults(spec: ProviderSpec): Values {
  const values: Record<string, unknown> = {};
  for (const parameter of spec.parameters ?? []) {
    const value = staticDefault(parameter);
    if (value !== undefined) values[parameter.name] = value;
  }
  return values;
}

/** Steps A to C of 3.2. Rendering failures of default templates propagate. */
export function evaluateParameters(input: ParameterInput): ParameterOutcome {
  const values: Record<string, unknown> = { ...input.wanted };
  const defaulted = new Set<string>();
  for (const parameter of input.spec.parameters ?? []) fillIn(parameter, values, { input, defaulted });
  const declared = new Set((input.spec.parameters ?? []).map(({ name }) => name));
  const errors = (input.spec.parameters ?? []).flatMap((parameter) => parameterErrors(parameter, values, { input, defaulted }));
  const unknown = Object.entries(values)
    .filter(([name, value]) => !declared.has(name) && !(input.known && isKnown(input.known, name, value)))
    .map(([name]) => `No such parameter ${name}.`);
  return { values, errors: [...errors, ...unknown] };
}

interface Pass {
  readonly input: ParameterInput;
  readonly defaulted: Set<string>;
}

function fillIn(parameter: Parameter, values: Record<string, unknown>, { input, defaulted }: Pass): void {
  const { name } = parameter;
  if (Object.hasOwn(values, name)) return;
  // Sticky: a value that was accepted once stays, also a random default.
  if (input.known && Object.hasOwn(input.known, name)) {
    values[name] = input.known[name];
    return;
  }
  const template = parameter.default?.template;
  const value = template === undefined ? staticDefault(parameter) : input.renderDefault(template, values, name);
  if (value === undefined) return;
  values[name] = value;
  defaulted.add(name);
}

function parameterErrors(parameter: Parameter, values: Values, { input, defaulted }: Pass): string[] {
  const { name } = parameter;
  if (!Object.hasOwn(values, name)) return parameter.required === true ? [`Parameter ${name} is required.`] : [];
  const value = values[name];
  if (input.known) {
    if (isKnown(input.known, name, value) || defaulted.has(name)) return [];
    if (parameter.allowUpdate !== true) return [`Parameter ${name} is immutable.`];
  }
  return valueErrors(parameter, value, { input, values });
}

function isKnown(known: Values, name: string, value: unknown): boolean {
  return Object.hasOwn(known, name) && equal(known[name], value);
}

function valueErrors(
  { name, validation }: Parameter,
  value: unknown,
  { input, values }: { readonly input: ParameterInput; readonly values: Values },
): string[] {
  const schema = validation?.openAPIV3Schema;
  const invalid = schema && schemaError(schema, value);
  if (invalid !== undefined) return [`Parameter ${name} schema validation failed: ${invalid}`];
  return (validation?.checks ?? []).flatMap(({ name: check, check: expression }) => {
    try {
      return input.check(expression, values, value) ? [] : [`Parameter ${name} failed check: ${check}`];
    } catch (error) {
      return [`Parameter ${name} exception on check ${check}: ${messageOf(error)}`];
    }
  });
}
