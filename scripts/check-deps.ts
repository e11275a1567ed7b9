// `npm run deps`: dependency-cruiser over src/ with the rules of .dependency-cruiser.mjs, and a check that it really looked at every
// file there: a cruise that silently skips files (a parser that is not found, a wrong path) would pass for ever.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
  readonly cycle?: readonly { readonly name: string }[];
}

interface CruiseResult {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: { readonly violations: readonly Violation[] };
}

const ROOT = join(import.meta.dirname, "..");

/** Runs the cruise and reads its JSON. The exit code is the number of violations, so only unreadable output is a failure here. */
function cruise(): CruiseResult {
  const entry = join(ROOT, "node_modules", "dependency-cruiser", "bin", "dependency-cruiser.mjs");
  const args = [entry, "src", "--config", ".dependency-cruiser.mjs", "--output-type", "json"];
  const run = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });
  try {
    return JSON.parse(run.stdout) as CruiseResult;
  } catch {
    throw new Error(`dependency-cruiser gave no result:\n${run.stderr || run.stdout}`);
  }
}

function sourceFiles(): readonly string[] {
  return readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `src/${name.replaceAll("\\", "/")}`);
}

function describe({ rule, from, to, cycle }: Violation): string {
  const path = cycle === undefined ? `${from} → ${to}` : [from, ...cycle.map((step) => step.name)].join(" → ");
  return `  ${rule.name}: ${path}`;
}

const { modules, summary } = cruise();
const cruised = new Set(modules.map(({ source }) => source));
const files = sourceFiles();
const missed = files.filter((file) => !cruised.has(file));
const problems = [...summary.violations.map(describe), ...missed.map((file) => `  not cruised: ${file}`)];
if (files.length === 0) problems.push("  src/ holds no TypeScript file");

if (problems.length > 0) {
  console.error(`dependency rule broken, ${problems.length} times:\n${problems.join("\n")}`);
  process.exitCode = 1;
} else {
  console.log(`dependency rule holds: ${files.length} files, ${cruised.size} modules`);
}
