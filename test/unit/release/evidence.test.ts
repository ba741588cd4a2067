import { describe, expect, test } from 'vitest';
import {
  type Evidence,
  NO_EVIDENCE,
  requestsOf,
  WINDOW_REQUESTS,
  withAnswers,
  withFinding,
  withoutServer,
} from '../../../src/core/release/evidence.ts';

type Step = number | 'blamed' | 'shared' | 'unpaired';

/** Numbers are answers. */
function counted(steps: readonly Step[], from: Evidence = NO_EVIDENCE): Evidence {
  return steps.reduce<Evidence>(
    (evidence, step) => (typeof step === 'number' ? withAnswers(evidence, step) : withFinding(evidence, step)),
    from,
  );
}

test('counts what happened', () => {
  const evidence = counted([3, 'blamed', 'unpaired', 'unpaired', 'shared', 2]);
  expect(evidence).toMatchObject({ answered: 5, blamed: 1, unpaired: 2, shared: 1 });
  expect(requestsOf(evidence)).toBe(9);
});

test('changes nothing in place, and is JSON', () => {
  const evidence = withFinding(counted([3, 'blamed']), 'unpaired', '10.0.0.1:80');
  const text = JSON.stringify(evidence);
  counted([400, 'blamed', 'shared', 'unpaired'], evidence);
  withoutServer(evidence, '10.0.0.1:80');
  expect(JSON.stringify(evidence)).toBe(text);
  expect(JSON.parse(text)).toEqual(evidence);
  expect(NO_EVIDENCE).toEqual(counted([]));
});

test('no answers are no event', () => {
  const evidence = counted(['blamed', 'blamed']);
  expect(withAnswers(evidence, 0)).toBe(evidence);
});

describe('failures in a row', () => {
  test.each([
    [['blamed', 'unpaired', 'blamed'], 3, 2],
    [['blamed', 1, 'blamed', 'unpaired'], 2, 1],
    [['blamed', 'shared', 'unpaired'], 1, 0],
    [['blamed', 'unpaired', 'shared'], 0, 0],
    [['blamed', 'blamed', 7], 0, 0],
  ] as const)('%j', (steps, consecutive, consecutiveBlamed) => {
    expect(counted(steps)).toMatchObject({ consecutive, consecutiveBlamed });
  });
});

describe('the windows', () => {
  const answered = (n: number) => ({ answered: n, blamed: 0, shared: 0, unpaired: 0 });

  test('hold the last requests', () => {
    const evidence = counted([WINDOW_REQUESTS - 1, 'blamed', 'shared', 4]);
    expect(evidence.previous).toEqual({ ...answered(WINDOW_REQUESTS - 1), blamed: 1 });
    expect(evidence.recent).toEqual({ ...answered(4), shared: 1 });
  });

  test('fill to the last request', () => {
    expect(counted([WINDOW_REQUESTS])).toMatchObject({ recent: answered(WINDOW_REQUESTS), previous: answered(0) });
    expect(counted([WINDOW_REQUESTS, 1])).toMatchObject({ recent: answered(1), previous: answered(WINDOW_REQUESTS) });
  });

  test.each([1, 2, 3, 7, 249, 250, 251, 499, 500, 501, 750, 1234])(
    'answers by %d at once are the same as one by one',
    (count) => {
      for (const start of [[], ['blamed'], [100, 'shared'], [249, 'unpaired']] as const) {
        const oneByOne = counted(Array<number>(count).fill(1), counted(start));
        expect(counted([count], counted(start))).toEqual(oneByOne);
      }
    },
  );
});

describe('a server that is ejected', () => {
  const evidence = [
    ['blamed', 'a:1'],
    ['unpaired', 'a:1'],
    ['blamed', 'b:1'],
    ['shared', 'a:1'],
    ['blamed', 'a:1'],
  ] as const;
  const seen = evidence.reduce((so, [kind, server]) => withFinding(so, kind, server), counted([10]));

  test('takes its failures along, and breaks the row', () => {
    expect(withoutServer(seen, 'a:1')).toEqual({
      ...counted([10, 'blamed', 'shared']),
      byServer: { 'b:1': { blamed: 1, unpaired: 0 } },
    });
  });

  test('starts anew when it comes back', () => {
    const back = withFinding(withoutServer(seen, 'a:1'), 'blamed', 'a:1');
    expect(back).toMatchObject({ blamed: 2, byServer: { 'a:1': { blamed: 1, unpaired: 0 } } });
  });

  test('is none where it has not failed', () => {
    expect(withoutServer(seen, 'c:1')).toBe(seen);
  });

  test('takes them out of both windows', () => {
    const later = withFinding(counted([WINDOW_REQUESTS], seen), 'unpaired', 'a:1');
    expect(later.previous).toMatchObject({ blamed: 3, unpaired: 1 });
    expect(withoutServer(later, 'a:1')).toMatchObject({
      recent: { blamed: 0, unpaired: 0 },
      previous: { blamed: 1, unpaired: 0 },
    });
  });

  test('leaves no negative count in a window that does not hold its failures', () => {
    const later = counted([WINDOW_REQUESTS, WINDOW_REQUESTS], seen);
    expect(withoutServer(later, 'a:1')).toMatchObject({
      blamed: 1,
      unpaired: 0,
      recent: { blamed: 0 },
      previous: { blamed: 0 },
    });
  });
});
