import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Mode } from '../../../src/core/config/model.ts';
import { releaseStatesPage } from '../../../src/core/release/diagram.ts';
import { NOTHING_COMPARED } from '../../../src/core/release/divergence.ts';
import { NO_FIGURES } from '../../../src/core/release/ledger.ts';
import { NEIGHBOUR_MOVES } from '../../../src/core/release/settle.ts';
import type { VersionPhase } from '../../../src/core/release/state.ts';
import { TABLE } from '../../../src/core/release/transition.ts';
import { happenings } from './happenings.ts';
import { type Happening, Machine } from './machine.ts';
import { inContainers, launchedContainer, launchedNow, spec } from './specs.ts';

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

const put = (id: string, mode: Mode, version: string): Happening => {
  return { kind: 'put', id, spec: spec(mode, { version }), origin: 'rest' };
};

/** Guilty, and no older version is known to answer. */
const guilty = (mode: Mode): readonly Happening[] => [
  put('b', mode, '3'),
  { kind: 'ready', id: 'b' },
  ...Array.from({ length: 5 }, () => ({ kind: 'finding', id: 'b', finding: 'unpaired', server: 's' }) as const),
];

/** What chance brings about too seldom. */
const RARE: readonly (readonly Happening[])[] = (['INSTANT', 'GRADUAL'] as const).flatMap((mode) => [
  [
    put('b', mode, '3'),
    { kind: 'ready', id: 'b' },
    put('c', 'INSTANT', '4'),
    { kind: 'ready', id: 'c' },
    { kind: 'regret-over', id: 'c' },
  ],
  [put('b', mode, '3'), { kind: 'ready', id: 'b' }, { kind: 'answered', id: 'b', count: 1000 }],
  [...guilty(mode), { kind: 'measured', id: 'b', answers: 0, figures: NO_FIGURES, older: null, olderAnswers: 'a' }],
  [...guilty(mode), { kind: 'compared', id: 'b', counts: NOTHING_COMPARED.counts }],
]);

/** Versions in containers, over one that is given by its server. */
const inApp = (id: string, version: string): Happening => {
  return { kind: 'put', id, spec: inContainers('INSTANT', { version }), origin: 'rest' };
};
const runs = (id: string): Happening => launchedNow(id, launchedContainer(`10.0.0.9:${id.charCodeAt(0)}`));
const released = (id: string, version: string): readonly Happening[] => [
  inApp(id, version),
  runs(id),
  { kind: 'ready', id },
];
const stable = (id: string, version: string): readonly Happening[] => [
  ...released(id, version),
  { kind: 'regret-over', id },
];
const back = (id: string): Happening => ({ kind: 'rollback', id, reason: null });

const CONTAINERS: readonly (readonly Happening[])[] = [
  [{ kind: 'delete', id: 'a' }],
  [inApp('b', '3'), { kind: 'launch-failed', id: 'b', reason: 'no', output: [] }],
  [inApp('b', '3'), runs('b'), { kind: 'container-down', id: 'b', reason: 'no', output: [] }],
  [inApp('b', '1'), { kind: 'launch-failed', id: 'b', reason: 'no', output: [] }],
  // Each way to be replaced: while it is watched, releases, is stable or stands by.
  [...released('b', '3'), ...stable('c', '4')],
  [...stable('b', '3'), ...stable('c', '4')],
  [
    { ...put('b', 'GRADUAL', '3'), spec: inContainers('GRADUAL', { version: '3' }) } as Happening,
    runs('b'),
    { kind: 'ready', id: 'b' },
    ...stable('c', '4'),
  ],
  [inApp('b', '1'), runs('b'), ...stable('c', '4')],
  // Rolled back to what drains or is gone.
  [...stable('b', '3'), { kind: 'delete', id: 'a' }, ...stable('c', '4'), back('c')],
  [
    ...stable('b', '3'),
    { kind: 'delete', id: 'a' },
    { kind: 'drained', id: 'a' },
    ...stable('c', '4'),
    { kind: 'drained', id: 'b' },
    back('c'),
    runs('b'),
    { kind: 'ready', id: 'b' },
  ],
];

/** Where nothing else serves. */
const ALONE: readonly (readonly Happening[])[] = [
  [inApp('b', '3'), runs('b'), { kind: 'ready', id: 'b' }, runs('b')],
  [inApp('b', '3'), inApp('c', '2'), runs('c')],
  [inApp('b', '3'), runs('b'), inApp('c', '4'), runs('c'), { kind: 'ready', id: 'c' }],
];

describe('the page and the machine agree', () => {
  const seen = new Set<string>();

  function play(list: readonly Happening[]): void {
    playAll([put('a', 'INSTANT', '2'), ...list]);
  }

  function playAll(list: readonly Happening[]): void {
    const machine = new Machine();
    for (const event of list) {
      const before = machine.state;
      if (machine.step(event).kind === 'rejected') continue;
      for (const { id, phase } of machine.state.versions) {
        const was: Place = before.versions.find((version) => version.id === id)?.phase ?? 'absent';
        const possible = ways(was, id === event.id ? event.kind : null, phase);
        if (possible.length === 0) throw new Error(`No arrow for ${id}: ${was} ${event.kind} ${phase}`);
        const [shortest] = possible.toSorted((a, b) => a.length - b.length);
        for (const move of shortest ?? []) seen.add(move);
      }
    }
  }

  test('no version moves where the page shows no arrow', { timeout: 60_000 }, () => {
    for (const list of [...RARE, ...CONTAINERS]) play(list);
    for (const list of ALONE) playAll(list);
    fc.assert(fc.property(happenings, play), { numRuns: 3000, seed: 1 });
  });

  test('and every arrow is gone along', () => {
    expect([...SHOWN].filter((move) => !seen.has(move))).toEqual([]);
  });
});
