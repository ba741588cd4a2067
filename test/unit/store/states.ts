/** States to keep. */
import type { ReleaseState, VersionState } from '../../../src/core/release/state.ts';
import { Machine } from '../release/machine.ts';
import { spec } from '../release/specs.ts';

/** A state after some PUTs; each has a version more. */
export function stateWith(count: number): ReleaseState {
  const machine = new Machine();
  for (let i = 1; i <= count; i += 1) machine.put(`v${i}`, spec('INSTANT', { version: String(i) }));
  return machine.state;
}

/** A version of mode GRADUAL in mid-release, above a stable one. */
export function releasing(percentagePerRequest: number, answered = 0): { state: ReleaseState; version: VersionState } {
  const machine = new Machine();
  machine.put('old', spec('INSTANT', { version: '1' }));
  machine.put('new', spec('GRADUAL', { version: '2', percentagePerRequest }));
  if (answered > 0) machine.happen({ kind: 'answered', id: 'new', count: answered });
  const version = machine.find('new');
  if (version === undefined) throw new Error('It was not put');
  return { state: machine.state, version };
}
