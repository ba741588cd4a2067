/** Whatever can happen to a few versions, for tests that let chance play. */
import fc from 'fast-check';
import { MODES } from '../../../src/core/config/model.ts';
import { NOTHING_COMPARED } from '../../../src/core/release/divergence.ts';
import { NO_FIGURES } from '../../../src/core/release/ledger.ts';
import type { Happening } from './machine.ts';
import { spec } from './specs.ts';

/** All servers of a version are found dead, and an older one answers. */
export const fail = (id: string): Happening => ({
  kind: 'probed',
  id,
  servers: 1,
  failures: ['refused'],
  olderAnswers: 'a',
});

const COMPARE = {
  headers: 'all' as const,
  ignoreHeaders: [],
  ignoreJson: [],
  ignoreBody: [],
  sample: 0,
  sampleFirst: 0,
};

const IDS = ['a', 'b', 'c', 'd'];
const id = fc.constantFrom(...IDS);
const put = fc.record({
  kind: fc.constant('put' as const),
  id,
  spec: fc
    .tuple(fc.constantFrom(...MODES), fc.constantFrom('1', '2', '3', '4'), fc.constantFrom(1, 5))
    .map(([mode, version, consecutive]) => {
      const verdict = { ...spec(mode).transition.verdict, consecutive, divergence: 0.5 };
      const compare = mode === 'CONCURRENT' ? COMPARE : null;
      return spec(mode, { version, percentagePerRequest: 40, promoteAfterRequests: 10, verdict, compare });
    }),
  origin: fc.constant('rest' as const),
});
const ready = fc.record({ kind: fc.constant('ready' as const), id });

const finding = fc.record({
  kind: fc.constant('finding' as const),
  id,
  finding: fc.constantFrom('blamed' as const, 'shared' as const, 'unpaired' as const, 'unpaired' as const),
  server: fc.constant('10.0.0.1:80'),
});
const measured = fc.record({
  kind: fc.constant('measured' as const),
  id,
  answers: fc.constantFrom(0, 0, 1, 5000),
  figures: fc.constant({ ...NO_FIGURES, requests: 1 }),
  older: fc.constant(null),
  olderAnswers: fc.constantFrom(null, 'a'),
});

const compared = fc.record({
  kind: fc.constant('compared' as const),
  id,
  counts: fc.constant({ ...NOTHING_COMPARED.counts, compared: 100, different: 100 }),
});

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: put },
  { weight: 4, arbitrary: ready },
  fc.record({
    kind: fc.constantFrom('delete' as const, 'quiet' as const, 'regret-over' as const, 'drained' as const),
    id,
  }),
  fc.record({ kind: fc.constant('answered' as const), id, count: fc.constant(1) }),
  fc.record({
    kind: fc.constantFrom('promote' as const, 'pause' as const, 'resume' as const, 'rollback' as const),
    id,
    reason: fc.constant(null),
  }),
  { weight: 3, arbitrary: finding },
  { weight: 3, arbitrary: measured },
  { weight: 2, arbitrary: compared },
  fc.record({ kind: fc.constant('counted' as const), id, requests: fc.constant(10) }),
  fc.record({ kind: fc.constant('drain-over' as const), id, what: fc.constant('exchanges' as const) }),
  fc.oneof(
    fc.record({ kind: fc.constant('unready' as const), id, reason: fc.constant('its server was not ready') }),
    fc.record({ kind: fc.constant('forgiven' as const), id, server: fc.constant('10.0.0.1:80') }),
    id.map(fail),
  ),
);

/** Long enough that the rare things happen too. */
export const happenings = fc.array(happening, { minLength: 20, maxLength: 60, size: 'max' });
