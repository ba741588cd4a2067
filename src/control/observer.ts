/**
 * What the data plane tells of its attempts, sifted: called at the end of each attempt, it costs one comparison while no
 * version is on trial, and passes on only what moves or endangers a release.
 */
import type { Finding, Outcome } from '../core/messages.ts';
import type { RoutingTable } from '../core/routing/table.ts';
import type { OutcomeSink } from './ports.ts';

export interface ReleaseListener {
  /** A request was answered directly while this version's threshold rises. */
  answered(id: string, epoch: number): void;
  /** A server of this version, which is on trial, did not take a connection. */
  refused(id: string, epoch: number): void;
}

interface Focus {
  /** By version id, of all that serve. */
  readonly epochs: ReadonlyMap<string, number>;
  readonly onTrial: ReadonlySet<string>;
  /** The version whose threshold rises, or null. */
  readonly ramp: { readonly id: string; readonly epoch: number } | null;
  readonly listener: ReleaseListener;
}

/** Made before the data plane, which reports to it; the controller says with each table what to look out for. */
export class Observer implements OutcomeSink {
  #focus: Focus | null = null;

  outcome(outcome: Outcome): void {
    const focus = this.#focus;
    if (focus === null || !outcome.counts) return;
    if (focus.epochs.get(outcome.versionId) !== outcome.epoch) return;
    switch (outcome.kind) {
      case 'answered':
        if (outcome.direct && focus.ramp !== null) focus.listener.answered(focus.ramp.id, focus.ramp.epoch);
        break;
      case 'refused':
      case 'connect-timeout':
        if (focus.onTrial.has(outcome.versionId)) focus.listener.refused(outcome.versionId, outcome.epoch);
        break;
    }
  }

  finding(_finding: Finding): void {}

  /** Looks out for what matters while `table` is in force. A rise of a threshold needs no new call. */
  focusOn(table: RoutingTable, listener: ReleaseListener): void {
    const { chain } = table;
    const onTrial = new Set(chain.filter((route) => route.onTrial).map(({ id }) => id));
    if (onTrial.size === 0) {
      this.#focus = null;
      return;
    }
    const newest = chain[0];
    const ramp = newest?.mode === 'GRADUAL' && !newest.released ? newest : null;
    this.#focus = { epochs: new Map(chain.map(({ id, epoch }) => [id, epoch])), onTrial, ramp, listener };
  }
}
