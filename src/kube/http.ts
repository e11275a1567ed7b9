// One kept-alive undici agent to one API server: requests with credentials, a deadline, and errors by class.
// Knows HTTP and nothing of kinds; api-client.ts builds the paths.
import { Agent, request } from "undici";
import type { Dispatcher } from "undici";
import type { Clock } from "../runtime/clock.ts";
import { AbortedError, messageOf } from "../runtime/errors.ts";
import { metrics } from "../runtime/metrics.ts";
import type { Credentials } from "./credentials.ts";
import { kubeError, UnreachableError } from "./errors.ts";

export interface HttpOptions {
  readonly credentials: Credentials;
  readonly userAgent: string;
  readonly maxSockets: number;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
}

export interface HttpCall {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

interface StatusBody {
  readonly message?: string;
  readonly reason?: string;
}

export class Http {
  readonly #options: HttpOptions;
  #agent: Promise<Agent> | undefined;
  #watchAgent: Promise<Agent> | undefined;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** The parsed body of a success. */
  async json(call: HttpCall): Promise<unknown> {
    const timeout = AbortSignal.timeout(this.#options.requestTimeoutMs);
    const signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout;
    const started = this.#options.clock.monotonic();
    let code = "none";
    try {
      const response = await this.#send(call, signal, await this.#requests());
      code = String(response.statusCode);
      const text = await response.body.text();
      if (response.statusCode >= 300) throw failure(call, response, text);
      return text === "" ? undefined : JSON.parse(text);
    } catch (error) {
      throw classified(call, error);
    } finally {
      metrics.apiRequests.observe({ verb: call.method, code }, (this.#options.clock.monotonic() - started) / 1000);
    }
  }

  /** The open body of a success: for watches, which live on connections of their own. */
  async stream(call: HttpCall & { readonly signal: AbortSignal }): Promise<AsyncIterable<Buffer>> {
    try {
      const response = await this.#send(call, call.signal, await this.#watches());
      if (response.statusCode >= 300) throw failure(call, response, await response.body.text());
      return response.body;
    } catch (error) {
      throw classified(call, error);
    }
  }

  async close(): Promise<void> {
    for (const opening of [this.#agent, this.#watchAgent]) await (await opening)?.destroy();
  }

  async #send(call: HttpCall, signal: AbortSignal, dispatcher: Agent): Promise<Dispatcher.ResponseData> {
    const { credentials, userAgent } = this.#options;
    const headers: Record<string, string> = { ...(await credentials.headers()), accept: "application/json", "user-agent": userAgent };
    if (call.body !== undefined) headers["content-type"] = call.contentType ?? "application/json";
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    return request(`${credentials.server}${call.path}`, { dispatcher, method: call.method, headers, body, signal });
  }

  #requests(): Promise<Agent> {
    this.#agent ??= this.#open(this.#options.maxSockets);
    return this.#agent;
  }

  #watches(): Promise<Agent> {
    this.#watchAgent ??= this.#open(null);
    return this.#watchAgent;
  }

  async #open(connections: number | null): Promise<Agent> {
    const { ca, cert, key, rejectUnauthorized } = await this.#options.credentials.tls();
    const tls = Object.fromEntries(Object.entries({ ca, cert, key, rejectUnauthorized }).filter(([, value]) => value !== undefined));
    // Watches are quiet for long: their own inactivity timer decides, not the agent's.
    return new Agent({
      connections,
      pipelining: 1,
      keepAliveTimeout: 60_000,
      bodyTimeout: 0,
      headersTimeout: 0,
      connect: { ...tls, timeout: 5000 },
    });
  }
}

function failure(call: HttpCall, response: Dispatcher.ResponseData, text: string): Error {
  let body: StatusBody = {};
  try {
    body = JSON.parse(text) as StatusBody;
  } catch {
    body = { message: text.slice(0, 200) };
  }
  const retryAfter = Number(response.headers["retry-after"]);
  return kubeError(`${call.method} ${call.path.split("?")[0] ?? ""}: ${body.message ?? "no message"}`, {
    status: response.statusCode,
    reason: body.reason,
    retryAfterMs: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter * 1000 : undefined,
  });
}

function classified(call: HttpCall, error: unknown): unknown {
  if (error instanceof Error && "code" in error && String(error.code).startsWith("PS_")) return error;
  const where = `${call.method} ${call.path.split("?")[0] ?? ""}`;
  if (call.signal?.aborted === true) return new AbortedError("PS_ABORTED", `${where} was cancelled`, { cause: error });
  return new UnreachableError("PS_KUBE_UNREACHABLE", `${where}: ${messageOf(error)}`, { cause: error });
}
