// Python's datetime, timedelta and timezone, and the reference's timestamp object (spec resource-provider 8.4). globals.ts offers
// them to templates; whoever asks for the current time goes through `now`, which reports that the clock was read.
import { parseInterval } from "../interval.ts";
import { Operand } from "./operators.ts";
import { formatTime, parseTime } from "./strftime.ts";
import { Callable, Float, asNumber, fail, isNumeric, str, truthy } from "./values.ts";

const DAY = 86_400_000;
const MAX_MS = 8.64e15;

function pad(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}

export class TimeDelta extends Operand {
  readonly ms: number;
  constructor(ms: number) {
    super();
    if (!(Math.abs(ms) < MAX_MS)) throw fail("timedelta out of range");
    this.ms = ms;
  }
  attr(name: string): unknown {
    if (name === "total_seconds") return new Callable(name, () => new Float(this.ms / 1000));
    if (name === "days") return Math.floor(this.ms / DAY);
    if (name === "seconds") return Math.floor((this.ms - Math.floor(this.ms / DAY) * DAY) / 1000);
    if (name === "microseconds") return (((this.ms % 1000) + 1000) % 1000) * 1000;
    return undefined;
  }
  print(): string {
    const days = Math.floor(this.ms / DAY);
    const rest = this.ms - days * DAY;
    const whole = Math.floor(rest / 1000);
    const fraction = rest % 1000 === 0 ? "" : `.${pad(Math.round((rest % 1000) * 1000), 6)}`;
    const clock = `${Math.floor(whole / 3600)}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}${fraction}`;
    return days === 0 ? clock : `${days} day${Math.abs(days) === 1 ? "" : "s"}, ${clock}`;
  }
  override repr(): string {
    return `datetime.timedelta(seconds=${Math.floor(this.ms / 1000)})`;
  }
  override truth(): boolean {
    return this.ms !== 0;
  }
  compareTo(other: unknown): number | undefined {
    return other instanceof TimeDelta ? this.ms - other.ms : undefined;
  }
  binary(op: string, other: unknown, reversed: boolean): unknown {
    if (other instanceof TimeDelta) return this.#with(op, reversed ? [other, this] : [this, other]);
    if (!isNumeric(other)) return undefined;
    if (op === "*") return new TimeDelta(this.ms * asNumber(other));
    if ((op === "/" || op === "//") && !reversed && asNumber(other) !== 0) return new TimeDelta(this.ms / asNumber(other));
    return undefined;
  }
  #with(op: string, [left, right]: readonly [TimeDelta, TimeDelta]): unknown {
    if (op === "+") return new TimeDelta(left.ms + right.ms);
    if (op === "-") return new TimeDelta(left.ms - right.ms);
    if ((op === "/" || op === "//") && right.ms === 0) throw fail("division by zero");
    if (op === "/") return new Float(left.ms / right.ms);
    return op === "//" ? Math.floor(left.ms / right.ms) : undefined;
  }
}

/** `local` is the wall-clock fields as ms of UTC; `offset` in minutes, absent for a naive value. */
export class DateTime extends Operand {
  readonly local: number;
  readonly offset: number | undefined;
  constructor(local: number, offset: number | undefined) {
    super();
    if (!(Math.abs(local) < MAX_MS)) throw fail("date value out of range");
    this.local = local;
    this.offset = offset;
  }
  get instant(): number {
    return this.local - (this.offset ?? 0) * 60_000;
  }
  attr(name: string): unknown {
    const date = new Date(this.local);
    switch (name) {
      case "year":
        return date.getUTCFullYear();
      case "month":
        return date.getUTCMonth() + 1;
      case "day":
        return date.getUTCDate();
      case "hour":
        return date.getUTCHours();
      case "minute":
        return date.getUTCMinutes();
      case "second":
        return date.getUTCSeconds();
      case "microsecond":
        return date.getUTCMilliseconds() * 1000;
      default:
        return this.#method(name, date);
    }
  }
  #method(name: string, date: Date): unknown {
    switch (name) {
      case "strftime":
        return new Callable(name, ([format]) => formatTime(str(format), date, this.offset));
      case "isoformat":
        return new Callable(name, ([mark]) => this.#iso(mark === undefined ? "T" : str(mark)));
      case "timestamp":
        return new Callable(name, () => new Float(this.instant / 1000));
      case "weekday":
        return new Callable(name, () => (date.getUTCDay() + 6) % 7);
      case "isoweekday":
        return new Callable(name, () => date.getUTCDay() || 7);
      case "date":
        return new Callable(name, () => new DateTime(Math.floor(this.local / DAY) * DAY, undefined));
      case "astimezone":
        return new Callable(name, ([zone]) => {
          const offset = zone instanceof Zone ? zone.offset : 0;
          return new DateTime(this.instant + offset * 60_000, offset);
        });
      case "replace":
        return new Callable(name, (_, kwargs) => this.#replace(date, kwargs));
      default:
        return undefined;
    }
  }
  #replace(date: Date, kwargs: Readonly<Record<string, unknown>>): DateTime {
    const field = (name: string, old: number): number => (kwargs[name] === undefined ? old : asNumber(kwargs[name]));
    const local = Date.UTC(
      field("year", date.getUTCFullYear()),
      field("month", date.getUTCMonth() + 1) - 1,
      field("day", date.getUTCDate()),
      field("hour", date.getUTCHours()),
      field("minute", date.getUTCMinutes()),
      field("second", date.getUTCSeconds()),
      field("microsecond", date.getUTCMilliseconds() * 1000) / 1000,
    );
    if (!Object.hasOwn(kwargs, "tzinfo")) return new DateTime(local, this.offset);
    return new DateTime(local, kwargs["tzinfo"] instanceof Zone ? kwargs["tzinfo"].offset : undefined);
  }
  #iso(mark: string): string {
    const text = new Date(this.local).toISOString();
    const micros = this.local % 1000 === 0 ? "" : `.${text.slice(20, 23)}000`;
    return `${text.slice(0, 10)}${mark}${text.slice(11, 19)}${micros}${zoneText(this.offset)}`;
  }
  print(): string {
    return this.#iso(" ");
  }
  override repr(): string {
    return `datetime.datetime(${this.#iso(" ")})`;
  }
  compareTo(other: unknown): number | undefined {
    if (!(other instanceof DateTime)) return undefined;
    this.#sameKind(other, "compare");
    return this.instant - other.instant;
  }
  #sameKind(other: DateTime, what: string): void {
    if ((this.offset === undefined) === (other.offset === undefined)) return;
    throw fail(
      what === "compare"
        ? "can't compare offset-naive and offset-aware datetimes"
        : "can't subtract offset-naive and offset-aware datetimes",
    );
  }
  binary(op: string, other: unknown, reversed: boolean): unknown {
    if (other instanceof TimeDelta && op === "+") return new DateTime(this.local + other.ms, this.offset);
    if (op !== "-" || reversed) return undefined;
    if (other instanceof TimeDelta) return new DateTime(this.local - other.ms, this.offset);
    if (!(other instanceof DateTime)) return undefined;
    this.#sameKind(other, "subtract");
    return new TimeDelta(this.instant - other.instant);
  }
}

export class Zone extends Operand {
  readonly offset: number;
  constructor(offset: number) {
    super();
    this.offset = offset;
  }
  attr(): unknown {
    return undefined;
  }
  print(): string {
    return this.offset === 0 ? "UTC" : `UTC${zoneText(this.offset)}`;
  }
  compareTo(other: unknown): number | undefined {
    return other instanceof Zone ? this.offset - other.offset : undefined;
  }
  binary(): unknown {
    return undefined;
  }
}

function zoneText(offset: number | undefined): string {
  if (offset === undefined) return "";
  return `${offset < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
}

/** The reference's timestamp object: a callable that is also "now". */
export class Timestamp extends Operand {
  readonly value: DateTime;
  readonly #now: () => number;
  constructor(value: DateTime, now: () => number) {
    super();
    this.value = value;
    this.#now = now;
  }
  attr(name: string): unknown {
    if (name === "utcnow") return new Timestamp(new DateTime(this.#now(), 0), this.#now);
    if (name === "datetime") return this.value;
    return name === "add" ? new Callable(name, ([interval]) => this.#add(interval)) : undefined;
  }
  /** `timestamp(x)`. */
  of(value: unknown): Timestamp {
    if (!truthy(value)) return new Timestamp(new DateTime(this.#now(), 0), this.#now);
    if (value instanceof DateTime) return new Timestamp(value, this.#now);
    if (value instanceof Timestamp) return value;
    return new Timestamp(toDatetime(str(value), "%Y-%m-%dT%H:%M:%S%z"), this.#now);
  }
  #add(interval: unknown): Timestamp {
    if (interval instanceof TimeDelta) return new Timestamp(new DateTime(this.value.local + interval.ms, this.value.offset), this.#now);
    if (typeof interval !== "string") throw fail("a timestamp adds an interval text or a timedelta");
    return this.#add(intervalOf(interval));
  }
  print(): string {
    return `${new Date(this.value.local).toISOString().slice(0, 19)}Z`;
  }
  compareTo(other: unknown): number | undefined {
    return other instanceof Timestamp ? this.value.instant - other.value.instant : undefined;
  }
  binary(op: string, other: unknown, reversed: boolean): unknown {
    return op === "+" && !reversed ? this.#add(other) : undefined;
  }
}

export function intervalOf(text: string): TimeDelta {
  const ms = parseInterval(text);
  if (ms === undefined) throw fail(`Failed to parse time interval: ${text}`);
  return new TimeDelta(ms);
}

export function toDatetime(text: string, format: string): DateTime {
  const parsed = parseTime(text, format);
  if (!parsed) throw fail(`time data '${text}' does not match format '${format}'`);
  return new DateTime(parsed.local, parsed.offset);
}
