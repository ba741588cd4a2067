/** Reads how many answers the data plane has compared, and tells the release machine how many more they are. */
import type { ComparisonCounts } from '../core/messages.ts';
import type { ComparedEvent } from '../core/release/events.ts';
import type { ReleaseState, VersionState } from '../core/release/state.ts';
import type { DataPlanePort } from './ports.ts';

interface Mark {
  readonly epoch: number;
  last: ComparisonCounts;
}

export class ComparisonMeter {
  readonly #dataPlane: DataPlanePort;
  #marks = new Map<string, Mark>();

  constructor(dataPlane: DataPlanePort) {
    this.#dataPlane = dataPlane;
  }

  /**
   * Where counting begins for versions whose trial is new in this state: called before they can take traffic. One that has left is
   * counted on: an older version's answer may end after all of its own.
   */
  begin({ versions }: ReleaseState): void {
    const marks = new Map<string, Mark>();
    for (const { id, epoch } of versions.filter(isCompared)) {
      const known = this.#marks.get(id);
      marks.set(id, known?.epoch === epoch ? known : { epoch, last: this.#countsOf(id) });
    }
    this.#marks = marks;
  }

  /** What has grown since the last call, of one version or of all. */
  read(atMs: number, only?: string): readonly ComparedEvent[] {
    const events: ComparedEvent[] = [];
    for (const [id, mark] of this.#marks) {
      if (only !== undefined && only !== id) continue;
      const now = this.#countsOf(id);
      const counts = growth(now, mark.last);
      mark.last = now;
      if (counts.compared + counts.noiseCompared > 0) {
        events.push({ kind: 'compared', id, epoch: mark.epoch, atMs, counts });
      }
    }
    return events;
  }

  #countsOf(id: string): ComparisonCounts {
    const { compared, different, bodiesUnread, noiseCompared, noiseDifferent } = this.#dataPlane.figures(id) ?? NOTHING;
    return { compared, different, bodiesUnread, noiseCompared, noiseDifferent };
  }
}

const NOTHING: ComparisonCounts = { compared: 0, different: 0, bodiesUnread: 0, noiseCompared: 0, noiseDifferent: 0 };

function isCompared(version: VersionState): boolean {
  return (version.trial !== null || version.exit !== null) && version.spec.transition.mode === 'CONCURRENT';
}

/** Totals that are smaller than before were begun anew. */
function growth(now: ComparisonCounts, before: ComparisonCounts): ComparisonCounts {
  if (now.compared < before.compared || now.noiseCompared < before.noiseCompared) return now;
  return {
    compared: now.compared - before.compared,
    different: now.different - before.different,
    bodiesUnread: now.bodiesUnread - before.bodiesUnread,
    noiseCompared: now.noiseCompared - before.noiseCompared,
    noiseDifferent: now.noiseDifferent - before.noiseDifferent,
  };
}
