// API failures by what a caller does about them. api-client.ts makes them from responses; executor.ts asks isUncounted.
import { AppError } from "../runtime/errors.ts";
import type { ErrorCode, ErrorOptions } from "../runtime/errors.ts";

export interface KubeErrorDetail extends ErrorOptions {
  readonly status: number;
  readonly reason?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** A response that is no success. `status` is the HTTP status, `reason` the API's word for it. */
export class KubeError extends AppError {
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;
  constructor(code: ErrorCode, message: string, detail: KubeErrorDetail) {
    super(code, message, detail);
    this.status = detail.status;
    this.reason = detail.reason ?? "";
    this.retryAfterMs = detail.retryAfterMs;
  }
}
/** 404: no such object, or no such kind. */
export class NotFoundError extends KubeError {}
/** 409: exists already, another resourceVersion, or another uid. */
export class ConflictError extends KubeError {}
/** 410: the resourceVersion is too old. */
export class GoneError extends KubeError {}
/** 422: the schema refuses it, or a JSON patch `test` failed. */
export class InvalidError extends KubeError {}
/** 401, 403. */
export class ForbiddenError extends KubeError {}
/** 429, with the server's wish in `retryAfterMs` where it gave one. */
export class TooManyRequestsError extends KubeError {}
/** 5xx. */
export class ServerError extends KubeError {}
/** Any other 4xx. */
export class RequestError extends KubeError {}
/** No response at all: connection refused, reset, timed out. A write may or may not have happened. */
export class UnreachableError extends AppError {}

type KubeErrorClass = new (code: ErrorCode, message: string, detail: KubeErrorDetail) => KubeError;

const BY_STATUS: Readonly<Record<number, readonly [ErrorCode, KubeErrorClass]>> = {
  401: ["PS_KUBE_FORBIDDEN", ForbiddenError],
  403: ["PS_KUBE_FORBIDDEN", ForbiddenError],
  404: ["PS_KUBE_NOT_FOUND", NotFoundError],
  409: ["PS_KUBE_CONFLICT", ConflictError],
  410: ["PS_KUBE_GONE", GoneError],
  422: ["PS_KUBE_INVALID", InvalidError],
  429: ["PS_KUBE_TOO_MANY_REQUESTS", TooManyRequestsError],
};

/** The error class of an HTTP status. */
export function kubeError(message: string, detail: KubeErrorDetail): KubeError {
  const known = BY_STATUS[detail.status];
  if (known) return new known[1](known[0], message, detail);
  return detail.status >= 500 ? new ServerError("PS_KUBE_SERVER", message, detail) : new RequestError("PS_KUBE_REQUEST", message, detail);
}

/** Trouble that is not the object's fault and raises no attempt count (design.md 3.2 "Counting"). */
export function isUncounted(error: unknown): boolean {
  return (
    error instanceof UnreachableError ||
    error instanceof ServerError ||
    error instanceof TooManyRequestsError ||
    error instanceof ConflictError
  );
}
