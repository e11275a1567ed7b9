// Temporary folders of servers under test. Each names its owner and the servers started in it, so that what a crashed run
// left behind, where the kernel could not be asked to end it (child.ts), is ended and removed by the next run.
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "poolstream-";
const OWNER = "owner.pid";
const SERVERS = "servers.pid";

/** Number and start time of a live process; the time tells it from a later process with the same number. Undefined: gone. */
export function processIdentity(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name stands in brackets and may hold blanks; state is field 3, start time field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : `${pid} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

/** True while the process with that identity runs. */
export function isAlive(identity: string): boolean {
  return processIdentity(Number.parseInt(identity, 10)) === identity;
}

/** A new folder below the system's temporary one; first removes those of dead owners. `parent`: somewhere else. */
export function makeScratch(name: string, parent: string = tmpdir()): string {
  sweepScratch(parent);
  const dir = mkdtempSync(join(parent, `${PREFIX}${name}-`));
  writeFileSync(join(dir, OWNER), processIdentity(process.pid) ?? "");
  return dir;
}

/** Notes a server that must not outlive the owner of the folder. */
export function recordServer(dir: string, pid: number): void {
  const identity = processIdentity(pid);
  if (identity !== undefined) appendFileSync(join(dir, SERVERS), `${identity}\n`);
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}

/** Removes the folders of dead owners, after ending the servers that still run in them. */
export function sweepScratch(parent: string = tmpdir()): void {
  const names = readdirSync(parent).filter((name) => name.startsWith(PREFIX));
  for (const dir of names.map((name) => join(parent, name))) {
    const owner = lines(join(dir, OWNER)).at(0);
    // No owner: another program's, or one being made at this moment.
    if (owner === undefined || isAlive(owner)) continue;
    for (const server of lines(join(dir, SERVERS)).filter(isAlive)) endProcess(Number.parseInt(server, 10));
    removeFolder(dir);
  }
}

function removeFolder(dir: string): void {
  try {
    // What was just killed may still be writing for a moment.
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  } catch {
    // Another user's, or another run sweeps at the same time.
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in between.
  }
}
