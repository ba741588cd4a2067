import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Rotation } from '../../../src/core/balancing/round-robin.ts';
import type { Route, Server } from '../../../src/core/routing/table.ts';

function serversOf(weights: readonly number[], firstPort = 1): readonly Server[] {
  return weights.map((weight, index) => {
    const port = firstPort + index;
    return { key: `10.0.0.1:${port}`, host: '10.0.0.1', port, weight };
  });
}

const routeOf = (servers: readonly Server[], id = 'a') => ({ id, servers }) as Route;

/** How often each server is chosen in so many requests. */
function countsOf(requests: number, routeFor: () => Route): number[] {
  const rotation = new Rotation();
  const counts: number[] = [];
  for (let n = 0; n < requests; n += 1) {
    const index = rotation.next(routeFor());
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

describe('with equal weights', () => {
  test('each takes exactly its turn, from the first on', () => {
    const rotation = new Rotation();
    const route = routeOf(serversOf([1, 1, 1]));
    expect(Array.from({ length: 7 }, () => rotation.next(route))).toEqual([0, 1, 2, 0, 1, 2, 0]);
  });

  test('versions rotate apart from each other, and what left is forgotten', () => {
    const rotation = new Rotation();
    const [a, b] = [routeOf(serversOf([1, 1]), 'a'), routeOf(serversOf([1, 1]), 'b')];
    expect([rotation.next(a), rotation.next(b), rotation.next(a)]).toEqual([0, 0, 1]);
    rotation.keepOnly([a]);
    expect([rotation.next(b), rotation.next(a)]).toEqual([0, 0]);
  });

  test('one server is always the one', () => {
    const rotation = new Rotation();
    expect(rotation.next(routeOf(serversOf([1])))).toBe(0);
  });
});

describe('with weights', () => {
  test('a server at 0.1 takes every tenth of its turns, the others all of theirs', () => {
    const rotation = new Rotation();
    const route = routeOf(serversOf([1, 0.1, 1]));
    const chosen = Array.from({ length: 42 }, () => rotation.next(route));
    expect(chosen.filter((index) => index === 1)).toHaveLength(2);
    expect(chosen.filter((index) => index === 0)).toHaveLength(20);
    expect(chosen.indexOf(1)).toBe(19);
  });

  test('shares follow the weights to within one request, whatever they are', () => {
    const weight = fc.integer({ min: 1, max: 100 }).map((percent) => percent / 100);
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 6 }), fc.nat(6), (others, at) => {
        const weights = others.toSpliced(at, 0, 1);
        const route = routeOf(serversOf(weights));
        const counts = countsOf(500, () => route);
        const full = counts[at] ?? counts.at(-1) ?? 0;
        for (const [index, weight] of weights.entries()) {
          expect(Math.abs((counts[index] ?? 0) - full * weight)).toBeLessThanOrEqual(2);
        }
      }),
    );
  });

  test('what a server has saved up survives a new table, so that a slow one is not starved', () => {
    expect(countsOf(110, () => routeOf(serversOf([1, 0.1])))).toEqual([100, 10]);
  });
});

describe('when the servers change', () => {
  test('one that leaves takes no turn, one that returns takes its place, and the turn goes on', () => {
    const rotation = new Rotation();
    const [one, two, three] = serversOf([1, 1, 1]) as [Server, Server, Server];
    const keysOf = (servers: readonly Server[], count: number) => {
      const route = routeOf(servers);
      return Array.from({ length: count }, () => servers[rotation.next(route)]?.port);
    };
    expect(keysOf([one, two, three], 4)).toEqual([1, 2, 3, 1]);
    expect(keysOf([one, three], 3)).toEqual([1, 3, 1]);
    expect(keysOf([one, two, three], 3)).toEqual([3, 1, 2]);
  });
});
