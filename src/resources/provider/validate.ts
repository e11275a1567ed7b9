// OpenAPI v3 schema validation with ajv, compiled schemas cached, patterns on a linear-time engine (re2js): a schema comes from
// a user and must not be able to stall the loop.
import { Ajv } from "ajv";
import type { ErrorObject, ValidateFunction } from "ajv";
import { RE2JS } from "re2js";
import { isRecord } from "../../kube/patch.ts";

type RegExpLike = { test(text: string): boolean };

function linearRegExp(pattern: string): RegExpLike {
  const compiled = RE2JS.compile(pattern);
  return { test: (text) => compiled.matcher(text).find() };
}
linearRegExp.code = "linearRegExp";

// By content: the same schema arrives as a new object with each read. Each has an instance of its own, which goes with its entry;
// a shared one would keep every schema for ever.
const CACHE_SIZE = 500;
const compiled = new Map<string, ValidateFunction>();

function compile(schema: Readonly<Record<string, unknown>>): ValidateFunction {
  const key = JSON.stringify(schema);
  const known = compiled.get(key);
  if (known) return known;
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, code: { regExp: linearRegExp } });
  const validate = ajv.compile(withNullable(schema) as object);
  if (compiled.size >= CACHE_SIZE) compiled.clear();
  compiled.set(key, validate);
  return validate;
}

/** Undefined when the value is valid, else what is wrong, in one line. */
export function schemaError(schema: Readonly<Record<string, unknown>>, value: unknown): string | undefined {
  const validate = compile(schema);
  if (validate(value)) return undefined;
  return (validate.errors ?? []).map(describe).join("; ");
}

function describe(error: ErrorObject): string {
  const allowed = error.keyword === "enum" ? `: ${JSON.stringify((error.params as { allowedValues?: unknown }).allowedValues)}` : "";
  return `${error.instancePath === "" ? "value" : error.instancePath} ${error.message ?? error.keyword}${allowed}`;
}

// OpenAPI's `nullable: true` is JSON schema's type list with null.
function withNullable(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withNullable);
  if (!isRecord(schema)) return schema;
  const converted = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withNullable(value)]));
  if (converted["nullable"] === true && typeof converted["type"] === "string") converted["type"] = [converted["type"], "null"];
  return converted;
}
