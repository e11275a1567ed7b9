// Where the control plane's binaries come from: KUBEBUILDER_ASSETS, PATH, the cache, or a build of the Go module beside
// this file. The cache lies outside the work tree, keyed by version, so that a second run starts in milliseconds.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

const HERE = import.meta.dirname;
const KUBERNETES = "1.36.3";
const VERSION_FLAGS = `-s -w -X k8s.io/component-base/version.gitVersion=v${KUBERNETES} -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36`;
const PACKAGES: Readonly<Record<string, string>> = {
  etcd: "go.etcd.io/etcd/server/v3",
  "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
  "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
  kubectl: "k8s.io/kubernetes/cmd/kubectl",
};
const PROGRESS_MS = 15_000;

export type Binary = "etcd" | "kube-apiserver" | "kube-controller-manager" | "kubectl";
export type Binaries = Readonly<Record<Binary, string>>;

/** One sentence for a person; callers print the message alone. */
export class SetupError extends Error {}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(name: string): string | undefined {
  return (process.env["PATH"] ?? "").split(delimiter).map((dir) => join(dir, name)).find(executable);
}

function cacheRoot(): string {
  return process.env["POOLSTREAM_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "poolstream");
}

function cacheDir(): string {
  const sum = createHash("sha256").update(readFileSync(join(HERE, "go.sum"))).digest("hex").slice(0, 12);
  return join(cacheRoot(), "control-plane", `${KUBERNETES}-${sum}`);
}

/** Paths of all four binaries; builds what nobody supplies. Throws SetupError when Go is needed and missing. */
export async function ensureBinaries(): Promise<Binaries> {
  const found: Record<string, string> = {};
  const cache = cacheDir();
  const assets = process.env["KUBEBUILDER_ASSETS"];
  for (const name of Object.keys(PACKAGES)) {
    const candidates = [assets && join(assets, name), onPath(name), join(cache, name)];
    const path = candidates.find((candidate) => candidate !== undefined && candidate !== "" && executable(candidate));
    if (path !== undefined) found[name] = path;
  }
  const missing = Object.keys(PACKAGES).filter((name) => found[name] === undefined);
  if (missing.length > 0) {
    await build(missing, cache);
    for (const name of missing) found[name] = join(cache, name);
  }
  return found as Binaries;
}

async function build(names: readonly string[], cache: string): Promise<void> {
  if (onPath("go") === undefined) {
    throw new SetupError("Go 1.26 is needed to build the control plane: install it, or set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver, or KUBECONFIG to a cluster.");
  }
  process.stderr.write(`building ${names.join(", ")} (Kubernetes ${KUBERNETES}), about 4 minutes on 2 cores, once per version\n`);
  mkdirSync(cache, { recursive: true });
  const temporary = mkdtempSync(join(cache, "build-"));
  const started = Date.now();
  const progress = setInterval(() => process.stderr.write(`  still building, ${Math.round((Date.now() - started) / 1000)} s\n`), PROGRESS_MS);
  try {
    await goBuild(names, temporary);
    // The etcd package builds a binary named after its folder.
    if (existsSync(join(temporary, "v3"))) renameSync(join(temporary, "v3"), join(temporary, "etcd"));
    if (existsSync(join(temporary, "server"))) renameSync(join(temporary, "server"), join(temporary, "etcd"));
    for (const name of names) renameSync(join(temporary, name), join(cache, name));
  } finally {
    clearInterval(progress);
    rmSync(temporary, { recursive: true, force: true });
  }
  process.stderr.write(`built in ${Math.round((Date.now() - started) / 1000)} s\n`);
}

function goBuild(names: readonly string[], out: string): Promise<void> {
  const packages = names.map((name) => PACKAGES[name] ?? name);
  const args = ["build", "-trimpath", `-ldflags=${VERSION_FLAGS}`, "-o", `${out}/`, ...packages];
  return new Promise((resolve, reject) => {
    const child = spawn("go", args, { cwd: HERE, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, CGO_ENABLED: "0" } });
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new SetupError(`go build of the control plane failed (exit code ${code}).`))));
  });
}

/** True where a child can be made to die with its parent, even by SIGKILL. */
export function hasSetpriv(): boolean {
  try {
    execFileSync("setpriv", ["--pdeathsig", "KILL", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
