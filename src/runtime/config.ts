// The only reader of the environment: file and environment → one frozen, typed configuration.
// Unknown keys are rejected, bad values named, secrets masked (AC-9, AC-44). settings.ts is the table.
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { parse } from "yaml";
import { ConfigError, messageOf } from "./errors.ts";
import { KIND_PARTITIONS, SETTINGS } from "./settings.ts";
import type { Setting } from "./settings.ts";

const SERVICE_ACCOUNT_NAMESPACE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

export type TickMode = "scheduler" | "daemon" | "both";

export interface KindConfig {
  readonly partitions: number;
  readonly workers: boolean;
  readonly mode: TickMode;
  readonly resync: string;
}

/** Where values come from: the process by default, a test's own record otherwise. */
export interface ConfigSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file as text; throws when it cannot. */
  readonly readFile: (path: string) => string;
}

/** Effective values. `text` has every setting by key, secrets masked, for the start-up log. */
export interface Config {
  readonly kinds: Readonly<Record<string, KindConfig>>;
  readonly text: Readonly<Record<string, string>>;
  string(key: string): string;
  optional(key: string): string | undefined;
  number(key: string): number;
}

/** Reads and checks everything; throws ConfigError naming the setting. */
export function loadConfig(source: ConfigSource = processSource()): Config {
  const file = readConfigFile(source);
  rejectUnknownEnv(source.env);
  const values = new Map<string, string>();
  for (const setting of SETTINGS) {
    const value = valueOf(setting, source, file);
    if (value !== undefined) values.set(setting.key, checked(setting, value));
  }
  return freeze(values);
}

function processSource(): ConfigSource {
  return { env: process.env, readFile: (path) => readFileSync(path, "utf8") };
}

function envName(key: string): string {
  return `POOLSTREAM_${key
    .replaceAll(/[A-Z]/gu, (letter) => `_${letter}`)
    .replaceAll(".", "_")
    .toUpperCase()}`;
}

function rejectUnknownEnv(env: ConfigSource["env"]): void {
  const known = new Set([...SETTINGS.map((setting) => envName(setting.key)), "POOLSTREAM_CONFIG", "POOLSTREAM_CACHE"]);
  const unknown = Object.keys(env).filter((name) => name.startsWith("POOLSTREAM_") && !known.has(name) && !isServiceLink(name, env[name]));
  if (unknown.length > 0) throw new ConfigError("PS_CONFIG_UNKNOWN", `unknown setting in the environment: ${unknown.join(", ")}`);
}

// Kubernetes puts variables of this form into every pod beside a Service named poolstream-*.
function isServiceLink(name: string, value: string | undefined): boolean {
  return (
    /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/u.test(name) ||
    (name.endsWith("_PORT") && value?.startsWith("tcp://") === true)
  );
}

function readConfigFile(source: ConfigSource): ReadonlyMap<string, string> {
  const path = source.env["POOLSTREAM_CONFIG"];
  if (path === undefined || path === "") return new Map();
  let document: unknown;
  try {
    document = parse(source.readFile(path));
  } catch (error) {
    throw new ConfigError("PS_CONFIG_FILE", `cannot read ${path} (POOLSTREAM_CONFIG): ${messageOf(error)}`, { cause: error });
  }
  const flat = new Map<string, string>();
  flatten(document, "", flat);
  const known = new Set(SETTINGS.map((setting) => setting.key));
  const unknown = [...flat.keys()].filter((key) => !known.has(key));
  if (unknown.length > 0) throw new ConfigError("PS_CONFIG_UNKNOWN", `unknown setting in ${path}: ${unknown.join(", ")}`);
  return flat;
}

function flatten(value: unknown, key: string, into: Map<string, string>): void {
  if (value === null || value === undefined) return;
  if (typeof value === "object" && !Array.isArray(value)) {
    for (const [name, member] of Object.entries(value)) flatten(member, key === "" ? name : `${key}.${name}`, into);
    return;
  }
  into.set(key, scalar(value, key));
}

// YAML 1.1 habits: `workers: off` arrives as text in YAML 1.2, but as a boolean from older writers.
function scalar(value: unknown, key: string): string {
  if (key.endsWith(".workers") && typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function valueOf(setting: Setting, source: ConfigSource, file: ReadonlyMap<string, string>): string | undefined {
  for (const name of [envName(setting.key), ...(setting.aliases ?? [])]) {
    const value = source.env[name];
    if (value !== undefined && value !== "") return value;
  }
  return file.get(setting.key) ?? setting.fallback ?? discovered(setting.key, source);
}

function discovered(key: string, source: ConfigSource): string | undefined {
  if (key === "operator.instance") return hostname();
  if (key !== "operator.namespace") return undefined;
  try {
    return source.readFile(SERVICE_ACCOUNT_NAMESPACE).trim();
  } catch {
    // Not in a cluster: main.ts says which variable to set.
    return undefined;
  }
}

function checked(setting: Setting, value: string): string {
  if (typeof setting.type === "object" && !setting.type.includes(value)) {
    throw new ConfigError("PS_CONFIG_VALUE", `${setting.key} must be one of ${setting.type.join(", ")}, not ${JSON.stringify(value)}`);
  }
  const numeric = setting.type === "integer" || setting.type === "seconds" || setting.type === "milliseconds";
  const pattern = setting.type === "integer" || setting.type === "milliseconds" ? /^\d{1,15}$/u : /^\d{1,9}(\.\d+)?$/u;
  if (numeric && !pattern.test(value)) {
    throw new ConfigError("PS_CONFIG_VALUE", `${setting.key} must be a number (${setting.type}), not ${JSON.stringify(value)}`);
  }
  return value;
}

function freeze(values: ReadonlyMap<string, string>): Config {
  const optional = (key: string): string | undefined => values.get(key);
  const string = (key: string): string => required(values, key);
  const number = (key: string): number => Number(string(key));
  const kinds = Object.fromEntries(Object.keys(KIND_PARTITIONS).map((kind) => [kind, kindConfig(kind, string, number)]));
  const text = Object.fromEntries(
    SETTINGS.filter((setting) => values.has(setting.key)).map((setting) => [
      setting.key,
      setting.secret === true ? "***" : string(setting.key),
    ]),
  );
  return Object.freeze({ kinds, text, optional, string, number });
}

function required(values: ReadonlyMap<string, string>, key: string): string {
  const value = values.get(key);
  if (value !== undefined) return value;
  const setting = SETTINGS.find((candidate) => candidate.key === key);
  const names = [envName(key), ...(setting?.aliases ?? [])].join(" or ");
  throw new ConfigError("PS_CONFIG_MISSING", `${key} is required: set ${names}, or ${key} in the file that POOLSTREAM_CONFIG names`);
}

function kindConfig(kind: string, string: (key: string) => string, number: (key: string) => number): KindConfig {
  const partitions = number(`kinds.${kind}.partitions`);
  if (partitions < 1 || partitions > 1024) {
    throw new ConfigError("PS_CONFIG_VALUE", `kinds.${kind}.partitions must be between 1 and 1024, not ${partitions}`);
  }
  return {
    partitions,
    workers: string(`kinds.${kind}.workers`) === "on",
    mode: tickMode(string(`kinds.${kind}.mode`)),
    resync: string(`kinds.${kind}.resync`),
  };
}

function tickMode(value: string): TickMode {
  return value === "daemon" || value === "both" ? value : "scheduler";
}
