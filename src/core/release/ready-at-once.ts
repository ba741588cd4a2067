/** A version whose servers were found ready while its PUT waited for its turn: it is put and serves in one step, kept once. */
import type { PutEvent } from './events.ts';
import { type Transition, transition } from './transition.ts';

/** What a put came to, and that its version is ready; `put` itself where it waits for nothing, or for something else. */
export function withReady(put: Transition, { id, atMs }: PutEvent): Transition {
  if (put.kind === 'rejected') return put;
  const prepare = put.effects.find((effect) => effect.kind === 'prepare' && effect.id === id);
  if (prepare?.kind !== 'prepare') return put;
  const ready = transition(put.next, { kind: 'ready', id, epoch: prepare.epoch, atMs });
  if (ready.kind === 'rejected') return put;
  const effects = [...put.effects.filter((effect) => effect !== prepare), ...ready.effects];
  return { kind: 'done', next: ready.next, effects, weight: 'durable' };
}
