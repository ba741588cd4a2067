import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noFigures } from '../../../src/core/messages.ts';
import { buildTable } from '../../../src/core/routing/build-table.ts';
import type { Plan, Route } from '../../../src/core/routing/table.ts';
import { Register } from '../../../src/proxy/register.ts';
import { route } from '../routing/facts.ts';

const SESSION = { mode: 'SESSION', released: false } as const;

test('a request counts for the version that admitted it, and for each SESSION release that passed it on', () => {
  const register = new Register();
  const table = buildTable(1, [route('c', SESSION), route('b', { ...SESSION, released: true }), route('a')], []);
  for (const plan of table.single) register.admit(table, plan);
  register.admit(table, table.single[2] as Plan);
  expect(['c', 'b', 'a'].map((id) => register.find(id))).toMatchObject([
    { exchanges: 1, olderSessions: 3 },
    { exchanges: 1, olderSessions: 0 },
    { exchanges: 2, olderSessions: 0 },
  ]);
});

test('each request counts once, however tables follow each other and whenever figures are read', () => {
  const chains = fc
    .array(fc.record({ session: fc.boolean(), released: fc.boolean() }), { minLength: 1, maxLength: 5 })
    .map((versions) =>
      versions.map(({ session, released }, index) =>
        route(`v${index}`, { mode: session ? 'SESSION' : 'INSTANT', released }),
      ),
    );
  const steps = fc.array(fc.record({ chain: fc.nat(1), at: fc.nat(4), reads: fc.boolean() }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.tuple(chains, chains), steps, (both, requests) => {
      const tables = both.map((chain, index) => buildTable(index, chain, []));
      const register = new Register();
      const expected = new Map<string, { exchanges: number; olderSessions: number }>();
      const of = (id: string) => {
        const known = expected.get(id) ?? { exchanges: 0, olderSessions: 0 };
        expected.set(id, known);
        return known;
      };
      for (const { chain, at, reads } of requests) {
        const table = tables[chain] as (typeof tables)[number];
        const admitted = at % table.chain.length;
        register.admit(table, table.single[admitted] as Plan);
        of((table.chain[admitted] as Route).id).exchanges += 1;
        for (const { id, mode, released } of table.chain.slice(0, admitted)) {
          if (mode === 'SESSION' && !released) of(id).olderSessions += 1;
        }
        if (reads) register.find('v0');
      }
      for (const [id, counts] of expected) expect(register.find(id)).toMatchObject(counts);
    }),
  );
});

test('what has left the chain is forgotten once nothing of it is in flight', () => {
  const register = new Register();
  const table = buildTable(1, [route('b'), route('a')], []);
  register.admit(table, table.single[1] as Plan);
  const next = buildTable(2, [route('b')], []);
  register.of('a').inFlight = 1;
  register.prune(next);
  expect(register.find('a')).toEqual({ ...noFigures('a'), exchanges: 1, inFlight: 1 });
  register.of('a').inFlight = 0;
  register.prune(next);
  expect(register.find('a')).toBeUndefined();
});
