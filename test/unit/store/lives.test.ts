/** The store over several lives, each of which ends at any moment: what was acknowledged is found, and nothing that was never asked for. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReleaseState } from '../../../src/core/release/state.ts';
import { openState } from '../../../src/store/open.ts';
import { FakeDisk } from '../../kit/fake-disk.ts';
import { FakeClock, FakeLog, settled } from '../control/fakes.ts';
import { stateWith } from './states.ts';

const PATH = '/state/config.state.json';
const STATES: readonly ReleaseState[] = [...Array(40).keys()].map((count) => stateWith(count + 1));
/** As many versions that its document needs a larger journal than the others. */
const LARGE = stateWith(90);
const state = (versions: number): ReleaseState => (versions >= 90 ? LARGE : (STATES[versions - 1] as ReleaseState));

type Step =
  | { readonly kind: 'save' }
  | { readonly kind: 'save large' }
  | { readonly kind: 'note' }
  | { readonly kind: 'pass'; readonly ms: number }
  /** Fewer than a write takes: what comes next meets it half-way. */
  | { readonly kind: 'turns'; readonly count: number }
  | { readonly kind: 'settle' }
  | { readonly kind: 'fail'; readonly step: string }
  | { readonly kind: 'heal' }
  | { readonly kind: 'close' };

interface Life {
  readonly steps: readonly Step[];
  readonly diesAfter: number;
  /** Picks what is left. */
  readonly survivor: number;
}

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ kind: 'save' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'save large' } as const) },
  { weight: 3, arbitrary: fc.constant({ kind: 'note' } as const) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 749, 750, 1000) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('turns' as const), count: fc.nat(8) }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'settle' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      step: fc.constantFrom('create', 'write', 'sync', 'rename', 'overwrite'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'heal' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'close' } as const) },
);

const anyLife: fc.Arbitrary<Life> = fc.record({
  steps: fc.array(anyStep, { maxLength: 25 }),
  diesAfter: fc.integer({ min: 3, max: 90 }),
  survivor: fc.nat(),
});

/** What may be found: how many versions, at least and at most. */
interface Span {
  readonly atLeast: number;
  readonly atMost: number;
}

/** One life on the disk, which is dead afterwards. */
async function live(disk: FakeDisk, { steps, diesAfter }: Life, span: Span, story: string[]): Promise<Span> {
  const clock = new FakeClock();
  const lock = () => Promise.resolve({ release: () => Promise.resolve() });
  const opening = openState({ path: PATH, files: disk, clock, log: new FakeLog(), lock });
  const { state: restored, store, close } = await opening;
  const found = restored?.versions.length ?? 0;
  expect(found, story.join('; ')).toBeGreaterThanOrEqual(span.atLeast);
  expect(found, story.join('; ')).toBeLessThanOrEqual(span.atMost);
  disk.diesAfter = disk.steps.length + diesAfter;
  let [acknowledged, asked] = [found, found];
  const save = (versions: number): void => {
    asked = versions;
    void store.save(state(versions)).then(
      () => {
        acknowledged = Math.max(acknowledged, versions);
      },
      () => {},
    );
  };
  for (const step of steps) {
    if (disk.dead || asked >= 39) break;
    story.push(step.kind);
    if (step.kind === 'save') save(asked + 1);
    else if (step.kind === 'save large') save(90);
    // What is in force is what was acknowledged.
    else if (step.kind === 'note' && acknowledged > 0) store.note(() => state(acknowledged));
    else if (step.kind === 'pass') void clock.pass(step.ms);
    else if (step.kind === 'turns') for (let turn = 0; turn < step.count; turn += 1) await Promise.resolve();
    else if (step.kind === 'settle') await settled();
    else if (step.kind === 'fail') disk.failing.set(step.step, 'ENOSPC');
    else if (step.kind === 'heal') disk.failing.clear();
    else if (step.kind === 'close') void close();
  }
  disk.diesAfter = 0;
  await settled();
  story.push(`died after ${disk.steps.join(' ')}`);
  return { atLeast: acknowledged, atMost: asked };
}

test('whenever it dies, and dies again, what was acknowledged is there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyLife, { minLength: 1, maxLength: 4 }), async (lives) => {
      let disk = FakeDisk.holding({});
      let span: Span = { atLeast: 0, atMost: 0 };
      const story: string[] = [];
      for (const life of [...lives, { steps: [], diesAfter: 99, survivor: 0 }]) {
        span = await live(disk, life, span, story);
        const survivors = disk.survivors();
        disk = survivors[life.survivor % survivors.length] as FakeDisk;
      }
    }),
    { numRuns: process.env.CUTOVER_TEST_FULL === '1' ? 10_000 : 300 },
  );
}, 300_000);
