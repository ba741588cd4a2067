/** What whoever has started Cutover, and waits, is shown below the log while nothing serves. */
import type { Progress } from '../core/containers/progress.ts';
import { ProgressView } from '../core/containers/progress-view.ts';
import { type ReleaseState, serves } from '../core/release/state.ts';

/** Shows these lines in the place of those before. */
export type ShowLive = (lines: readonly string[]) => void;

export class StartView {
  readonly #show: ShowLive | null;
  /** By version id: what is being pulled. */
  readonly #views = new Map<string, ProgressView>();

  /** @param show null: nobody watches */
  constructor(show: ShowLive | null) {
    this.#show = show;
  }

  told(id: string, progress: Progress): void {
    if (this.#show === null) return;
    const view = this.#views.get(id) ?? new ProgressView();
    this.#views.set(id, view);
    view.take(progress);
  }

  /** A launch is over, whatever came of it. */
  over(id: string): void {
    this.#views.delete(id);
  }

  /** @param isLaunching whether the containers of a version are being started */
  show({ versions }: ReleaseState, isLaunching: (id: string) => boolean): void {
    if (this.#show === null) return;
    const pulled = [...this.#views.values()].flatMap((view) => view.lines());
    const started = versions.filter(({ id, phase }) => phase === 'starting' && !isLaunching(id));
    const waited = started.map(({ spec }) => `waiting for version ${spec.version} to be ready`);
    this.#show(versions.some(serves) ? [] : [...pulled, ...waited]);
  }

  close(): void {
    this.#show?.([]);
  }
}
