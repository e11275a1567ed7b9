// HTTP face of a process: /healthz (progress), /readyz (reachability), /metrics.
// A probe reports what the roles say of themselves; it makes no request of its own (AC-42, AC-50).
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { exposition } from "./metrics.ts";
import type { Service } from "./service.ts";

/** Undefined when all is well, else the reason in a few words. */
export type Check = () => string | undefined;

export interface HealthOptions {
  readonly host: string;
  readonly port: number;
  readonly live: readonly Check[];
  readonly ready: readonly Check[];
  /** Called before /metrics is written, to refresh gauges. */
  readonly refresh?: () => Promise<void>;
}

export class HealthServer implements Service {
  readonly name = "health";
  readonly #options: HealthOptions;
  #server: Server | undefined;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** The bound port, for port 0. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === "object" && address !== null ? address.port : undefined;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#options.port, this.#options.host, () => resolve());
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === "/healthz") answerChecks(response, this.#options.live);
    else if (request.url === "/readyz") answerChecks(response, this.#options.ready);
    else if (request.url === "/metrics") await this.#metrics(response);
    else response.writeHead(404).end("not found\n");
  }

  async #metrics(response: ServerResponse): Promise<void> {
    // A store that cannot be asked leaves the gauges as they were; the scrape itself must not fail.
    await this.#options.refresh?.().catch(() => undefined);
    const text = await exposition();
    response.writeHead(200, { "content-type": text.type }).end(text.body);
  }
}

function answerChecks(response: ServerResponse, checks: readonly Check[]): void {
  const reasons = checks.map((check) => check()).filter((reason) => reason !== undefined);
  response.writeHead(reasons.length === 0 ? 200 : 503).end(reasons.length === 0 ? "ok\n" : `${reasons.join("\n")}\n`);
}
