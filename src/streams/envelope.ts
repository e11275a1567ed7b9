// The wire form of a message (design.md 3.1): one JSON text per stream entry, members in a fixed order because the
// scripts read namespace, name and uid from it by pattern. Attempts and the like live in the key's state, not here.
import { AppError } from "../runtime/errors.ts";
import type { Lane, Message } from "./bus.ts";

export const ENVELOPE_VERSION = 1;
const MAX_BYTES = 1024;
const MAX_CAUSE = 160;
const MAX_TEXT = 128;
// The scripts cut states at "|" and find names by quotes; control characters have no business in either.
const UNSAFE = /[|"\\\p{Cc}]/u;
const UNSAFE_ALL = /[|"\\\p{Cc}]/gu;

/** `namespace/name`: the field of a key in every hash of its partition. */
export function fieldOf(message: { readonly namespace: string; readonly name: string }): string {
  return `${message.namespace}/${message.name}`;
}

/** Splits at the first slash: names of ticks contain further ones. */
export function splitField(field: string): { readonly namespace: string; readonly name: string } {
  const slash = field.indexOf("/");
  return { namespace: field.slice(0, slash), name: field.slice(slash + 1) };
}

/** Throws PS_STREAM_MESSAGE_INVALID for names that cannot be on the wire or more than 1 KiB in all (AC-17). */
export function encode(message: Message): string {
  for (const part of [message.kind, message.namespace, message.name, message.uid]) {
    if (UNSAFE.test(part)) throw new AppError("PS_STREAM_MESSAGE_INVALID", `not a name that can be published: ${JSON.stringify(part)}`);
  }
  const text = JSON.stringify({
    v: ENVELOPE_VERSION,
    kind: message.kind,
    namespace: message.namespace,
    name: message.name,
    uid: message.uid,
    cause: plain(message.cause, MAX_CAUSE),
    waking: message.waking,
    eventId: plain(message.eventId, MAX_TEXT),
    traceparent: plain(message.traceparent, MAX_TEXT),
  });
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new AppError("PS_STREAM_MESSAGE_INVALID", `the message of ${message.kind} ${fieldOf(message)} exceeds ${MAX_BYTES} bytes`);
  }
  return text;
}

function plain(text: string, limit: number): string {
  return text.slice(0, limit).replaceAll(UNSAFE_ALL, " ");
}

/** Undefined when the text is not a message of this version: the caller buries it (AC-7). */
export function decode(text: string, lane: Lane): Message | undefined {
  let wire: unknown;
  try {
    wire = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof wire !== "object" || wire === null) return undefined;
  const members: Partial<Record<string, unknown>> = { ...wire };
  const { kind, namespace, name, uid, cause, eventId, traceparent } = members;
  if (members["v"] !== ENVELOPE_VERSION || typeof kind !== "string" || typeof namespace !== "string" || typeof name !== "string") {
    return undefined;
  }
  return {
    kind,
    namespace,
    name,
    lane,
    uid: textOf(uid),
    cause: textOf(cause),
    eventId: textOf(eventId),
    traceparent: textOf(traceparent),
    waking: members["waking"] === true,
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Resyncs and ticks give a buried key one more try (design.md 3.2 "dead"). */
export function isHousekeeping(message: Message): boolean {
  return !message.waking && (message.cause === "resync" || message.cause === "tick");
}
