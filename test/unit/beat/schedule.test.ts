import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSchedule } from "../../../src/beat/schedule.ts";

test("an interval counts from the epoch, so that beats agree", () => {
  const schedule = parseSchedule("k", "10m");
  assert.equal(schedule.periodMs, 600_000);
  assert.equal(schedule.next(0), 600_000);
  assert.equal(schedule.next(599_999), 600_000);
  assert.equal(schedule.next(600_000), 1_200_000);
});

test("a cron expression is read in UTC", () => {
  const schedule = parseSchedule("k", "30 2 * * *");
  assert.equal(new Date(schedule.next(Date.UTC(2031, 0, 1, 2, 30))).toISOString(), "2031-01-02T02:30:00.000Z");
  assert.equal(schedule.periodMs, 86_400_000);
});

for (const text of ["", "5", "10x", "0s", "* * *", "99 * * * *", "* * * * * *"]) {
  test(`${JSON.stringify(text)} is rejected, naming the setting`, () => {
    assert.throws(() => parseSchedule("kinds.resourceclaims.resync", text), /kinds\.resourceclaims\.resync/);
  });
}
