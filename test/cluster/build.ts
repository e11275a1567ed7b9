// Builds the control plane's binaries from the Go module beside this file, whose go.mod pins every version. The cache lies
// outside the work tree, keyed by versions and go.sum, so that one build serves every checkout and a second run is free.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { boundCommand } from "../support/child.ts";
import { makeScratch } from "../support/scratch.ts";
import { SetupError } from "../support/setup-error.ts";

const MODULE = import.meta.dirname;
const PROGRESS_MS = 15_000;
const ATTEMPTS = 2;
const KEPT_LINES = 20;

const PACKAGES = {
  etcd: "go.etcd.io/etcd/server/v3",
  "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
  "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
  kubectl: "k8s.io/kubernetes/cmd/kubectl",
} as const;

export type Binary = keyof typeof PACKAGES;

function pinned(module: string): string {
  const line = readFileSync(join(MODULE, "go.mod"), "utf8").match(new RegExp(`^\\s*(?:require )?${module} v(\\S+)`, "mu"));
  if (line?.[1] === undefined) throw new Error(`go.mod of the control plane does not pin ${module}`);
  return line[1];
}

/** Folder of the binaries of exactly these pinned versions; may not exist yet. */
export function cacheDir(): string {
  const root = process.env["POOLSTREAM_CACHE"] ?? process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const sum = createHash("sha256")
    .update(readFileSync(join(MODULE, "go.sum")))
    .digest("hex")
    .slice(0, 12);
  return join(root, "poolstream", "control-plane", `${pinned("k8s.io/kubernetes")}-${pinned("go.etcd.io/etcd/server/v3")}-${sum}`);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Builds into a folder of its own and renames: a half-written binary is never seen, and two builds at once do no harm. */
export async function buildBinaries(names: readonly Binary[]): Promise<void> {
  const cache = cacheDir();
  mkdirSync(cache, { recursive: true });
  say(
    `building ${names.join(", ")} (Kubernetes ${pinned("k8s.io/kubernetes")}); once per version, about 4 minutes on 2 cores when nothing is cached`,
  );
  const out = makeScratch("build", cache);
  const started = performance.now();
  try {
    await goBuildTwice(names, out);
    // Go names etcd's binary after its folder.
    if (existsSync(join(out, "server"))) renameSync(join(out, "server"), join(out, "etcd"));
    for (const name of names) renameSync(join(out, name), join(cache, name));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
  say(`built in ${seconds(started)} s`);
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 1000);
}

// What a module proxy refuses once it mostly serves a moment later, and the packages compiled so far are in Go's cache.
async function goBuildTwice(names: readonly Binary[], out: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const failure = await goBuild(names, out);
    if (failure === undefined) return;
    say(failure);
    if (attempt === ATTEMPTS) throw new SetupError("go build of the control plane failed; the lines above say why.");
    say("go build failed, trying once more");
  }
}

// Resolves with the last lines of output when the build fails.
function goBuild(names: readonly Binary[], out: string): Promise<string | undefined> {
  const version = pinned("k8s.io/kubernetes");
  const [major = "", minor = ""] = version.split(".");
  const stamp = "-X k8s.io/component-base/version.git";
  // A server that says v0.0.0 makes clients stumble.
  const flags = `-s -w ${stamp}Version=v${version} ${stamp}Major=${major} ${stamp}Minor=${minor}`;
  const args = ["build", "-v", "-trimpath", `-ldflags=${flags}`, "-o", `${out}/`, ...names.map((name) => PACKAGES[name])];
  return new Promise((resolve, reject) => {
    const child = spawn(...boundCommand("go", args), {
      cwd: MODULE,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, CGO_ENABLED: "0" },
    });
    const report = reportProgress(child.stderr);
    child.once("error", (error) => {
      report.end();
      reject(error);
    });
    child.once("close", (code) => {
      const last = report.end();
      resolve(code === 0 ? undefined : last);
    });
  });
}

// `go build -v` prints one line per compiled package and per downloaded module.
function reportProgress(stream: NodeJS.ReadableStream): { end(): string } {
  const started = performance.now();
  const kept: string[] = [];
  let packages = 0;
  let modules = 0;
  createInterface({ input: stream }).on("line", (line) => {
    if (line.startsWith("go: downloading ")) modules += 1;
    else if (/^[\w./~-]+$/u.test(line)) packages += 1;
    else kept.push(line);
  });
  const timer = setInterval(
    () => say(`  still building: ${seconds(started)} s, ${modules} modules downloaded, ${packages} packages compiled`),
    PROGRESS_MS,
  );
  return {
    end: () => {
      clearInterval(timer);
      return kept.slice(-KEPT_LINES).join("\n");
    },
  };
}
