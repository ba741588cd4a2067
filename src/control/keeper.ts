/**
 * Gives the store what it is to keep: the state, with each rising threshold ahead of its use (`reservedThreshold`). A client whom
 * a threshold let through to the newer version has been there; after a crash it must find that version again. So a threshold
 * may be in force only while one at least as high is durable.
 */
import { reservedThreshold } from '../core/release/ramp.ts';
import type { ReleaseState, VersionState } from '../core/release/state.ts';
import type { StorePort } from './ports.ts';

interface Reserve {
  readonly epoch: number;
  readonly threshold: number;
}

export class Keeper {
  readonly #store: StorePort;
  readonly #current: () => ReleaseState;
  /** By version id: what the store was given. Later documents have no less, whatever becomes of the saves in between. */
  #given = new Map<string, Reserve>();
  /** By version id: what is durable. */
  #durable = new Map<string, Reserve>();
  #closing = false;

  /** @param current the state in force, with all that was saved */
  constructor(store: StorePort, current: () => ReleaseState) {
    this.#store = store;
    this.#current = () => this.#ahead(current());
  }

  /** Resolves when the state is durable; rejects with the reason when it can't be kept. */
  async save(state: ReleaseState): Promise<void> {
    const kept = this.#ahead(state);
    this.#given = reservesOf(kept);
    await this.#store.save(kept);
    this.#durable = reservesOf(kept);
  }

  /** Counters have changed. */
  note(): void {
    this.#store.note(this.#current);
  }

  /** What an earlier process left is durable as it is. */
  restored(state: ReleaseState): void {
    this.#given = reservesOf(state);
    this.#durable = this.#given;
  }

  /** True when the version's threshold may be in force. */
  covers(version: VersionState): boolean {
    return this.ceilingOf(version) >= version.threshold;
  }

  /** Percent up to which the version's threshold may be in force. */
  ceilingOf(version: VersionState): number {
    return this.#store.keeps === 'nothing' ? 100 : reserveFor(version, this.#durable);
  }

  /** True when more should be durable, since the version's threshold comes near to what is. */
  isLow(version: VersionState): boolean {
    if (this.#store.keeps === 'nothing' || !rises(version)) return false;
    return reserveFor(version, this.#durable) < reservedThreshold(version);
  }

  /** No threshold rises any more: the last document has them as they are. */
  close(): void {
    this.#closing = true;
    this.note();
  }

  #ahead(state: ReleaseState): ReleaseState {
    if (this.#closing || this.#store.keeps === 'nothing') return state;
    const versions = state.versions.map((version) => {
      if (!rises(version)) return version;
      const threshold = Math.max(reservedThreshold(version), reserveFor(version, this.#given));
      return threshold === version.threshold ? version : { ...version, threshold };
    });
    return { ...state, versions };
  }
}

function rises(version: VersionState): boolean {
  return version.phase === 'releasing' && version.spec.transition.mode === 'GRADUAL';
}

function reservesOf(state: ReleaseState): Map<string, Reserve> {
  return new Map(state.versions.filter(rises).map(({ id, epoch, threshold }) => [id, { epoch, threshold }]));
}

/** Percent; 0 where nothing is reserved for this release of the version. */
function reserveFor({ id, epoch }: VersionState, reserves: ReadonlyMap<string, Reserve>): number {
  const reserve = reserves.get(id);
  return reserve?.epoch === epoch ? reserve.threshold : 0;
}
