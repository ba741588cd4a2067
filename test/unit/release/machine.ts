/** A release state that a test drives event by event. */
import type { ClusterSpec } from '../../../src/core/config/model.ts';
import type { LaunchedContainer } from '../../../src/core/containers/launch.ts';
import type { Finding } from '../../../src/core/messages.ts';
import type { Effect, PublishEffect } from '../../../src/core/release/effects.ts';
import type { ReleaseEvent } from '../../../src/core/release/events.ts';
import { NO_FIGURES } from '../../../src/core/release/ledger.ts';
import { EMPTY_STATE, type ReleaseState, type VersionState } from '../../../src/core/release/state.ts';
import { type Transition, transition } from '../../../src/core/release/transition.ts';
import { launchedContainer, launchedNow } from './specs.ts';

type Distribute<T> = T extends ReleaseEvent ? Omit<T, 'atMs' | 'epoch'> & { readonly epoch?: number } : never;
/** An event at the present time and epoch, unless it says another epoch. */
export type Happening = Distribute<ReleaseEvent>;

export class Machine {
  state: ReleaseState = EMPTY_STATE;
  effects: readonly Effect[] = [];
  atMs = 1000;

  /** Applies an event without what follows from it. */
  step(happening: Happening): Transition {
    const epoch = happening.epoch ?? this.find(happening.id)?.epoch ?? 0;
    this.atMs += 1;
    const result = transition(this.state, { ...happening, epoch, atMs: this.atMs } as ReleaseEvent);
    if (result.kind === 'done') {
      this.state = result.next;
      this.effects = result.effects;
    }
    return result;
  }

  /** Applies an event, and `ready` for each version that it has prepared. */
  happen(happening: Happening): Transition {
    const result = this.step(happening);
    let effects = this.effects;
    for (const effect of result.kind === 'done' ? result.effects : []) {
      if (effect.kind !== 'prepare') continue;
      this.happen({ kind: 'ready', id: effect.id });
      effects = [...effects, ...this.effects];
    }
    this.effects = effects;
    return result;
  }

  put(id: string, spec: ClusterSpec): Transition {
    return this.happen({ kind: 'put', id, spec, origin: 'rest' });
  }

  /** Puts a version whose containers run at once. */
  putRunning(id: string, spec: ClusterSpec): void {
    this.put(id, spec);
    const image = { reference: spec.containers[0]?.image ?? '', imageId: 'sha256:1', digest: null, pulled: true };
    this.run(id, launchedContainer('10.0.0.1:80', { image }));
  }

  /** The containers of a version have been started, and are ready at once. */
  run(id: string, ...containers: readonly LaunchedContainer[]): Transition {
    return this.happen(launchedNow(id, ...containers));
  }

  /** An exchange in which the version failed, `times` times. */
  fail(id: string, finding: Finding['kind'], times = 1): void {
    for (let i = 0; i < times; i += 1) this.happen({ kind: 'finding', id, finding, server: '10.0.0.1:80' });
  }

  /** What the meter tells; what is left out has not grown. */
  measure(id: string, grown: Partial<Extract<ReleaseEvent, { kind: 'measured' }>> = {}): Transition {
    return this.happen({
      kind: 'measured',
      id,
      answers: 0,
      figures: NO_FIGURES,
      older: null,
      olderAnswers: null,
      ...grown,
      epoch: grown.epoch ?? this.find(id)?.epoch ?? 0,
    });
  }

  find(id: string): VersionState | undefined {
    return this.state.versions.find((version) => version.id === id);
  }

  /** `id:phase` of all versions, newest first. */
  phases(): string {
    return this.state.versions.map(({ id, phase }) => `${id}:${phase}`).join(' ');
  }

  /** The chain of the last event. */
  published(): PublishEffect | undefined {
    return this.effects.findLast((effect) => effect.kind === 'publish');
  }

  /** What the last event logged, as `LEVEL text`. */
  logged(): readonly string[] {
    return this.effects.filter((effect) => effect.kind === 'log').map(({ level, text }) => `${level} ${text}`);
  }
}
