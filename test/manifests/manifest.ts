// Reads manifests and walks CRD schemas for the tests of this folder. Decodes by hand, so that a malformed file fails with its path.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import type { ValidateFunction } from "ajv";
import { parseAllDocuments } from "yaml";

export type Json = Readonly<Record<string, unknown>>;

export interface Row {
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly constraints: Json;
  readonly keepsUnknown: boolean;
}

export const ROOT = join(import.meta.dirname, "..", "..");
export const CRD_FOLDER = join(ROOT, "manifests", "crds");

const CONSTRAINTS = ["format", "pattern", "enum", "minimum", "maxLength"];
const STRUCTURE = ["type", "description", "properties", "required", "items", "additionalProperties"];
const KEEPS = "x-kubernetes-preserve-unknown-fields";

export function record(value: unknown, where: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError(`${where}: not an object`);
  return value as Json;
}

export function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${where}: not a list`);
  return value;
}

/** Value at a dotted path; undefined when a member is missing. */
export function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((node, name) => (node === undefined ? undefined : record(node, path)[name]), value);
}

/** Every document of a YAML file; a syntax error or a duplicate key throws. */
export function documents(path: string): readonly Json[] {
  const parsed = parseAllDocuments(readFileSync(path, "utf8"), { uniqueKeys: true });
  if ("empty" in parsed) return [];
  return parsed.map((document) => {
    const [error] = document.errors;
    if (error) throw new SyntaxError(`${path}: ${error.message}`);
    return record(document.toJS(), path);
  });
}

/** All YAML files below a folder, sorted. */
export function yamlFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => join(folder, name));
}

/** The definition in a file, which must hold exactly one. */
export function definition(path: string): Json {
  const [only, ...rest] = documents(path);
  if (only === undefined || rest.length > 0) throw new TypeError(`${path}: one document expected`);
  return only;
}

/** The single version of a definition. */
export function version(crd: Json): Json {
  const versions = list(at(crd, "spec.versions"), "spec.versions");
  if (versions.length !== 1) throw new TypeError("one version expected");
  return record(versions[0], "spec.versions[0]");
}

export function schemaOf(crd: Json): Json {
  return record(at(version(crd), "schema.openAPIV3Schema"), "schema");
}

/**
 * Walks a structural schema into rows: `a.b` a property, `a[]` the items of a list, `a.*` the values of a map.
 * A keyword the contract has no column for (default, nullable, validation rules, …) throws: none may slip in.
 */
export function rowsOf(schema: Json): readonly Row[] {
  return walk(schema, "", false);
}

function walk(schema: Json, path: string, required: boolean): readonly Row[] {
  const shown = path === "" ? "(root)" : path;
  const unknown = Object.keys(schema).filter((key) => ![...CONSTRAINTS, ...STRUCTURE, KEEPS].includes(key));
  if (unknown.length > 0) throw new TypeError(`${shown}: keyword outside the contract: ${unknown.join(", ")}`);
  const constraints = Object.fromEntries(Object.entries(schema).filter(([key]) => CONSTRAINTS.includes(key)));
  const row: Row = { path: shown, type: String(schema["type"]), required, constraints, keepsUnknown: schema[KEEPS] === true };
  return [row, ...members(schema, path), ...elements(schema, path)];
}

function members(schema: Json, path: string): readonly Row[] {
  const declared = record(schema["properties"] ?? {}, path);
  const needed = list(schema["required"] ?? [], path);
  const undeclared = needed.filter((name) => !Object.hasOwn(declared, String(name)));
  if (undeclared.length > 0) throw new TypeError(`${path}: required but not declared: ${undeclared.join(", ")}`);
  return Object.entries(declared).flatMap(([name, child]) => {
    const below = path === "" ? name : `${path}.${name}`;
    return walk(record(child, below), below, needed.includes(name));
  });
}

function elements(schema: Json, path: string): readonly Row[] {
  const items = schema["items"] === undefined ? [] : walk(record(schema["items"], path), `${path}[]`, false);
  const values = schema["additionalProperties"];
  return values === undefined ? items : [...items, ...walk(record(values, path), `${path}.*`, false)];
}

/**
 * A validator for objects of a kind: the schema of the definition, made strict, so that a member the API server would silently
 * prune is an error. `metadata` and nodes that keep unknown members stay open.
 */
export function validatorOf(crd: Json): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/u);
  return ajv.compile(strict(schemaOf(crd), ""));
}

function strict(schema: Json, path: string): Json {
  const result: Record<string, unknown> = { ...schema };
  if (schema["properties"] !== undefined) {
    const declared = Object.entries(record(schema["properties"], path));
    result["properties"] = Object.fromEntries(declared.map(([name, child]) => [name, strict(record(child, name), `${path}.${name}`)]));
  }
  if (schema["items"] !== undefined) result["items"] = strict(record(schema["items"], path), `${path}[]`);
  const closed = schema["type"] === "object" && schema[KEEPS] !== true && path !== ".metadata";
  if (closed && schema["additionalProperties"] === undefined) result["additionalProperties"] = false;
  return result;
}
