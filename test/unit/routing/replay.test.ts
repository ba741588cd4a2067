/** What may be sent again, how many extra attempts are allowed, and what an exchange proves. */
import { expect, test } from 'vitest';
import { FieldLines } from '../../../src/core/http/fields.ts';
import type { RequestHead } from '../../../src/core/http/message.ts';
import { findingKind, type VersionFailure } from '../../../src/core/routing/blame.ts';
import { isIgnored } from '../../../src/core/routing/ignored.ts';
import { isRepeatable, isServerFailure } from '../../../src/core/routing/replay.ts';
import { ReplayBudget } from '../../../src/core/routing/replay-budget.ts';
import { route } from './facts.ts';

test.for([
  ['GET', true],
  ['HEAD', true],
  ['OPTIONS', true],
  ['TRACE', true],
  ['PUT', true],
  ['DELETE', true],
  ['POST', false],
  ['PATCH', false],
  ['LOCK', false],
  ['get', false],
] as const)('%s may be sent again: %s', ([method, expected]) => {
  expect(isRepeatable(request(method), [])).toBe(expected);
});

test('what is not idempotent may be sent again when the configuration or the client says so', () => {
  expect(isRepeatable(request('POST'), ['PATCH', 'POST'])).toBe(true);
  expect(isRepeatable(request('POST', 'Idempotency-Key: 1'), [])).toBe(true);
  expect(isRepeatable(request('POST', 'X-Idempotency-Key: 1'), [])).toBe(false);
});

test('501 and 505 are answers about the request; the other 5xx are failures of the server', () => {
  expect([200, 404, 499, 501, 505].some(isServerFailure)).toBe(false);
  expect([500, 502, 503, 504, 507, 599].every(isServerFailure)).toBe(true);
});

test('three extra attempts are always allowed, and a share of the exchanges in flight', () => {
  const budget = new ReplayBudget(0.2);
  expect([budget.take(), budget.take(), budget.take(), budget.take()]).toEqual([true, true, true, false]);
  for (let n = 0; n < 20; n += 1) budget.enter();
  expect([budget.take(), budget.take()]).toEqual([true, false]);
  budget.leave(1);
  expect(budget.take()).toBe(true);
});

test('an exchange that ends gives back what it was allowed, and no more counts as in flight', () => {
  const budget = new ReplayBudget(0.5);
  for (let n = 0; n < 10; n += 1) budget.enter();
  for (let n = 0; n < 5; n += 1) expect(budget.take()).toBe(true);
  for (let n = 0; n < 9; n += 1) budget.leave(0);
  expect(budget.take()).toBe(false);
  budget.leave(5);
  expect(budget.take()).toBe(true);
});

test('a version that answers by another of its servers is not blamed for the first', () => {
  const first = failure(0);
  expect(findingKind(first, [first], 0)).toBe('unpaired');
  expect(findingKind(first, [first, failure(1)], 0)).toBe('shared');
});

test('a failure is blamed when an older version then answered', () => {
  const [newest, middle] = [failure(0), failure(1)];
  expect(findingKind(newest, [newest, middle], 2)).toBe('blamed');
  expect(findingKind(middle, [newest, middle], 2)).toBe('blamed');
});

test('a failure is shared when the older versions asked failed too', () => {
  const [newest, oldest] = [failure(0), failure(1)];
  expect(findingKind(newest, [newest, oldest], null)).toBe('shared');
});

test('a failure with which no older version was compared is unpaired', () => {
  const [newest, oldest] = [failure(0), failure(1)];
  expect(findingKind(newest, [newest], null)).toBe('unpaired');
  expect(findingKind(oldest, [newest, oldest], null)).toBe('unpaired');
  expect(findingKind(oldest, [oldest], 0)).toBe('unpaired');
});

test('ignored paths are compared whole, without the query', () => {
  expect(isIgnored('/health?x=1', ['/health'])).toBe(true);
  expect(isIgnored('/healthy', ['/health'])).toBe(false);
  expect(isIgnored('/', [])).toBe(false);
});

function failure(rank: number): VersionFailure {
  return { route: route(`v${rank}`), rank, cause: 'reset', server: 's:80', text: 'reset' };
}

function request(method: string, line = ''): RequestHead {
  const fields = new FieldLines();
  fields.text = line;
  const colon = line.indexOf(':');
  if (colon > 0) fields.add(0, colon, colon + 2, line.length);
  return {
    method,
    target: '/',
    forwardTarget: '/',
    host: 'x',
    minor: 1,
    fields,
    framing: 'none',
    length: 0,
    keepAlive: true,
    expectsContinue: false,
    upgrade: '',
    takesTrailers: false,
    nominates: false,
    maxForwards: -1,
  };
}
