import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HealthCheck } from '../../../src/core/config/model.ts';
import { judgeAnswer } from '../../../src/core/health/check.ts';
import { HEALTHY, nextHealth, type ServerHealth } from '../../../src/core/health/server-health.ts';
import { askable, isMost } from '../../../src/core/health/version-health.ts';
import type { Server } from '../../../src/core/routing/table.ts';

const at = (nowMs: number) => ({ nowMs, passesNeeded: 1 });
const EJECTED = nextHealth(HEALTHY, 'refused', at(0));
const PROBING = nextHealth(EJECTED, 'due', at(500));
/** Since 0 ms. */
const RETURNING = nextHealth(PROBING, 'passed', at(0));

function serversOf(count: number): readonly Server[] {
  return Array.from({ length: count }, (_, index) => {
    const port = index + 1;
    return { key: `10.0.0.1:${port}`, host: '10.0.0.1', port, weight: 1 };
  });
}

const shown = (servers: readonly Server[]) => servers.map(({ port, weight }) => [port, weight]);

describe('whom a version may ask', () => {
  const servers = serversOf(3);

  test('all of them while all is well, and all when none is: the very same list', () => {
    expect(askable(servers, [HEALTHY, HEALTHY, HEALTHY], 0)).toBe(servers);
    expect(askable(servers, [EJECTED, PROBING, EJECTED], 0)).toBe(servers);
  });

  test('not those that are ejected or being probed', () => {
    const left = askable(servers, [HEALTHY, EJECTED, PROBING], 0);
    expect(left).toEqual([servers[0]]);
    expect(left[0]).toBe(servers[0]);
  });

  test('a returning one at first a tenth, then more with each second', () => {
    const health = [HEALTHY, RETURNING, HEALTHY];
    const weights = [0, 999, 1_000, 5_000, 9_999, 10_000].map((nowMs) => askable(servers, health, nowMs)[1]?.weight);
    expect(weights.map((weight) => Math.round((weight ?? 0) * 100))).toEqual([10, 10, 19, 55, 91, 100]);
  });

  test('the one with the largest share takes whole turns, though it has just returned', () => {
    expect(shown(askable(servers, [EJECTED, RETURNING, EJECTED], 0))).toEqual([[2, 1]]);
    expect(shown(askable(servers, [EJECTED, RETURNING, RETURNING], 3_000))).toEqual([
      [2, 1],
      [3, 1],
    ]);
  });

  test('there is always someone, shares are in (0, 1], and one is whole', () => {
    const any = fc.constantFrom<ServerHealth>(HEALTHY, EJECTED, PROBING, RETURNING);
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 6 }), fc.nat(12_000), (health, nowMs) => {
        const asked = askable(serversOf(health.length), health, nowMs);
        expect(asked.length).toBeGreaterThan(0);
        expect(Math.max(...asked.map(({ weight }) => weight))).toBe(1);
        expect(asked.every(({ weight }) => weight > 0)).toBe(true);
      }),
    );
  });
});

test('most is more than half', () => {
  expect([isMost(1, 1), isMost(1, 2), isMost(2, 3), isMost(1, 3), isMost(2, 4), isMost(3, 4)]).toEqual([
    true,
    false,
    true,
    false,
    false,
    true,
  ]);
});

describe('a check', () => {
  const check: HealthCheck = { path: '/health', intervalMs: 1_000, timeoutMs: 1_000, expect: null, host: null };
  const judge = (status: number, expected: HealthCheck['expect'] = null, retryAfter = false) =>
    judgeAnswer({ ...check, expect: expected }, { status, retryAfter }).kind;

  test('passes from 200 to 399 when nothing else is expected', () => {
    expect([200, 204, 302, 399, 199, 400, 503].map((status) => judge(status))).toEqual([
      'passed',
      'passed',
      'passed',
      'passed',
      'failed',
      'failed',
      'failed',
    ]);
  });

  test('passes with what is expected and nothing else', () => {
    expect([judge(418, [204, 418]), judge(200, [204, 418])]).toEqual(['passed', 'failed']);
  });

  test('503 with Retry-After asks for time, unless it is what is expected', () => {
    expect([judge(503, null, true), judge(500, null, true), judge(503, [503], true)]).toEqual([
      'not-ready',
      'failed',
      'passed',
    ]);
  });
});
