import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { releaseStatesPage } from '../../../src/core/release/diagram.ts';
import { NEIGHBOUR_MOVES } from '../../../src/core/release/settle.ts';
import type { VersionPhase } from '../../../src/core/release/state.ts';
import { TABLE } from '../../../src/core/release/transition.ts';
import { happenings } from './happenings.ts';
import { type Happening, Machine } from './machine.ts';
import { spec } from './specs.ts';

test('docs/release-states.md is what the transition table says (make it anew with scripts/diagrams.ts)', () => {
  const page = readFileSync(new URL('../../../docs/release-states.md', import.meta.url), 'utf8');
  expect(page).toBe(releaseStatesPage());
});

type Place = VersionPhase | 'absent';

/** Moves that the page shows, as `from event to`, and those of neighbours, as `from * to`. */
const SHOWN = new Set([
  ...Object.entries(TABLE).flatMap(([from, row]) =>
    Object.entries(row).flatMap(([event, { to }]) => to.map((target) => `${from} ${event} ${target}`)),
  ),
  ...NEIGHBOUR_MOVES.flatMap(({ from, to }) => from.map((phase) => `${phase} * ${to}`)),
]);

/** The moves that lead from one place to another within one transition: the event's own, then those of neighbours. */
function ways(from: Place, event: string | null, to: Place): readonly (readonly string[])[] {
  const byNeighbours = (start: Place): readonly (readonly string[])[] =>
    start === to
      ? [[]]
      : NEIGHBOUR_MOVES.filter((move) => (move.from as readonly Place[]).includes(start)).flatMap((move) =>
          move.to === to ? [[`${start} * ${to}`]] : [],
        );
  const own = event === null ? [] : [...SHOWN].filter((move) => move.startsWith(`${from} ${event} `));
  return [
    ...own.flatMap((move) => byNeighbours(move.split(' ')[2] as Place).map((rest) => [move, ...rest])),
    ...byNeighbours(from),
  ];
}

describe('the page and the machine agree', () => {
  const seen = new Set<string>();

  test('no version moves where the page shows no arrow', () => {
    fc.assert(
      fc.property(happenings, (list) => {
        const machine = new Machine();
        const first: Happening = { kind: 'put', id: 'a', spec: spec('INSTANT', { version: '2' }), origin: 'file' };
        for (const event of [first, ...list]) {
          const before = machine.state;
          if (machine.step(event).kind === 'rejected') continue;
          for (const { id, phase } of machine.state.versions) {
            const was: Place = before.versions.find((version) => version.id === id)?.phase ?? 'absent';
            const possible = ways(was, id === event.id ? event.kind : null, phase);
            expect(possible, `${id}: ${was} ${event.kind} ${phase}`).not.toEqual([]);
            const [shortest] = possible.toSorted((a, b) => a.length - b.length);
            for (const move of shortest ?? []) seen.add(move);
          }
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  test('and every arrow is gone along', () => {
    expect([...SHOWN].filter((move) => !seen.has(move))).toEqual([]);
  });
});
