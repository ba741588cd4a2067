/** What main does about a process that has ended by itself, or that hangs. */
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { BackOff } from './back-off.ts';

/** `starting`: whatever ends then makes the start fail. */
export type Stage = 'starting' | 'running' | 'stopping';

export interface RestartParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly stage: () => Stage;
}

/** Tells what has ended, and starts another one, at once or in a while, unless Cutover stops by then. */
export function restart(
  { clock, log, stage }: RestartParts,
  backOff: BackOff,
  { what, start }: { readonly what: string; readonly start: () => void },
): void {
  const delayMs = backOff.next(clock.nowMs());
  log.write('ERROR', 'main', `${what}, another one is started${delayMs === 0 ? '' : ` in ${delayMs / 1000} s`}`);
  clock.after(delayMs, () => {
    if (stage() === 'running') start();
  });
}

/** What follows is what follows when it ends by itself. */
export function endHung(
  { log }: Pick<RestartParts, 'log'>,
  who: string,
  child: { readonly pid: number; kill(): void } | undefined,
): void {
  if (child === undefined) return;
  log.write('ERROR', 'main', `${who} (${child.pid}) does not answer: it is ended`);
  child.kill();
}
