/** Images of versions that were taken back are remembered, those that others run on are not. */
import { expect, test } from 'vitest';
import { Machine } from './machine.ts';
import { spec } from './specs.ts';

const digestOf = (letter: string): string => `sha256:${letter.repeat(64)}`;

/** Puts a version whose containers run on these images, given by one letter each. */
function put(machine: Machine, id: string, letters: string): void {
  machine.put(id, spec('INSTANT', { version: id }));
  const containers = [...letters].map((letter, index) => ({
    slot: `${index}`,
    containerId: letter,
    name: letter,
    engine: null,
    image: { reference: `app:${letter}`, imageId: letter, digest: `app@${digestOf(letter)}`, pulled: true },
    server: null,
  }));
  const versions = machine.state.versions.map((one) => (one.id === id ? { ...one, launch: { containers } } : one));
  machine.state = { ...machine.state, versions };
}

test('what was rolled back, but not what an older version runs on too', () => {
  const machine = new Machine();
  put(machine, '1', 'da');
  put(machine, '2', 'db');
  machine.happen({ kind: 'rollback', id: '2', reason: 'ugly' });
  expect(machine.state.quarantine).toEqual([
    { digest: digestOf('b'), reference: 'app:b', reason: 'It was rolled back by hand: ugly', atMs: machine.atMs },
  ]);
  put(machine, '3', 'dc');
  machine.fail('3', 'blamed', 5);
  machine.measure('3', { olderAnswers: '1' });
  expect(machine.find('3')?.phase).toBe('failed');
  expect(machine.state.quarantine.map(({ reference }) => reference)).toEqual(['app:c', 'app:b']);
});

test('until somebody deploys it by hand and it earns trust', () => {
  const machine = new Machine();
  put(machine, '1', 'a');
  put(machine, '2', 'b');
  machine.happen({ kind: 'rollback', id: '2', reason: null });
  put(machine, '3', 'b');
  expect(machine.state.quarantine.length).toBe(1);
  machine.happen({ kind: 'promote', id: '3', reason: null });
  expect([machine.find('3')?.phase, machine.state.quarantine]).toEqual(['stable', []]);
});

test('a version that is deleted is no bad one', () => {
  const machine = new Machine();
  put(machine, '1', 'a');
  put(machine, '2', 'b');
  machine.happen({ kind: 'delete', id: '2' });
  expect(machine.state.quarantine).toEqual([]);
});
