// Where the control plane's binaries come from, in this order: KUBEBUILDER_ASSETS, PATH, the cache, a build (build.ts).
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { SetupError } from "../support/setup-error.ts";
import { buildBinaries, cacheDir } from "./build.ts";
import type { Binary } from "./build.ts";

const CORE = ["etcd", "kube-apiserver"] as const;
const ALL = [...CORE, "kube-controller-manager", "kubectl"] as const;

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((dir) => dir !== "")
    .map((dir) => join(dir, name))
    .find(executable);
}

function assetsDir(): string | undefined {
  const dir = process.env["KUBEBUILDER_ASSETS"];
  return dir === "" ? undefined : dir;
}

function locate(name: Binary): string | undefined {
  const assets = assetsDir();
  const own = assets === undefined ? undefined : join(assets, name);
  if (own !== undefined && executable(own)) return own;
  if (own !== undefined && (CORE as readonly string[]).includes(name)) {
    throw new SetupError(`KUBEBUILDER_ASSETS names ${assets}, which holds no program ${name}.`);
  }
  const cached = join(cacheDir(), name);
  return onPath(name) ?? (executable(cached) ? cached : undefined);
}

/** Paths of the binaries; builds those that nobody supplies. Rejects with SetupError when that needs Go and there is none. */
export async function ensureBinaries<N extends Binary>(names: readonly N[]): Promise<Readonly<Record<N, string>>> {
  const missing = names.filter((name) => locate(name) === undefined);
  if (missing.length > 0 && onPath("go") === undefined) {
    throw new SetupError(
      `missing: ${missing.join(", ")}; install Go 1.26 to build from source, or set KUBEBUILDER_ASSETS to a folder that holds the programs, or KUBECONFIG to a cluster.`,
    );
  }
  if (missing.length > 0) await buildBinaries(missing);
  return Object.fromEntries(names.map((name) => [name, locate(name)])) as Record<N, string>;
}

/** What `cli.ts build` provides: everything, save that KUBEBUILDER_ASSETS without Go may lack what is not always needed. */
export async function ensureAll(): Promise<void> {
  const optional = assetsDir() !== undefined && onPath("go") === undefined;
  await ensureBinaries<Binary>(optional ? CORE : ALL);
}
