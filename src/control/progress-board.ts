/** What is told of versions that are starting, kept for whoever comes to listen while they do. */
import type { Progress } from '../core/containers/progress.ts';

type Listener = (progress: Progress) => void;

/** Lines that are kept of one version. */
const KEPT_MAX = 500;

export class ProgressBoard {
  readonly #told = new Map<string, Progress[]>();
  readonly #listeners = new Map<string, Set<Listener>>();

  tell(id: string, progress: Progress): void {
    const told = this.#told.get(id) ?? [];
    this.#told.set(id, told);
    // How far a layer is matters only now.
    if (progress.kind !== 'layer' && told.length < KEPT_MAX) told.push(progress);
    for (const listener of this.#listeners.get(id) ?? []) listener(progress);
  }

  /** Everything that was told of a version and will be; the returned function ends it. */
  follow(id: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners);
    listeners.add(listener);
    for (const progress of this.#told.get(id) ?? []) listener(progress);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    };
  }

  /** What was told of other versions than these is forgotten. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#told.keys()) if (!ids.has(id)) this.#told.delete(id);
  }
}
