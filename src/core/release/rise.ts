/** How far the data plane may raise a GRADUAL threshold ahead of the controller, where the two are different processes. */
import { isLive, type VersionState } from './state.ts';
import { isHeld } from './trial.ts';

export interface Rise {
  readonly versionId: string;
  readonly epoch: number;
  /** Answers that have raised the threshold. */
  readonly raises: number;
  /** Percent up to which it is durable ahead of its use. */
  readonly ceiling: number;
}

/** The version whose threshold the next answer raises, if there is one. */
export function risingVersion(versions: readonly VersionState[]): VersionState | undefined {
  const newest = versions.find(isLive);
  if (newest?.phase !== 'releasing' || newest.spec.transition.mode !== 'GRADUAL') return undefined;
  return isHeld(newest) ? undefined : newest;
}

/** @param ceiling percent */
export function riseOf({ id, epoch, raises }: VersionState, ceiling: number): Rise {
  return { versionId: id, epoch, raises, ceiling };
}
