import type { Outcome } from '../core/messages.ts';
import type { OutcomeSink } from './ports.ts';

/** What the data plane tells of its attempts. Made before the data plane; the controller attaches itself. */
export class Observer implements OutcomeSink {
  outcome(_outcome: Outcome): void {}
}
